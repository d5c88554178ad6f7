//! Signatures for AWS: completes the options by AWS's own variables, and reports what is missing.

use std::env;

use crate::config::auth_options::SigV4Options;
use crate::config::raw::Variables;
use crate::config::set_options::SetOptions;
use crate::secret::MASK;

/// Completes options by AWS's own variables, over which all of them take precedence, and adds what those set to `set_options`.
/// Returns messages about what is not valid.
pub fn complete(sigv4: &mut SigV4Options, environment: &Variables, set_options: &mut SetOptions) -> Vec<&'static str> {
    let secret = |name: &str| environment.get(name).filter(|value| !value.is_empty()).cloned();
    let variable = |name: &str| secret(name).map(|value| value.expose().to_string());
    let mut set =
        |option, value: &str, variable: &str| set_options.add(option, value, format!("{variable} (environment)"));
    let mut messages = Vec::new();
    if sigv4.access_key.is_some() != sigv4.secret_key.is_some() {
        messages.push("sigV4AccessKey and sigV4SecretKey must be set together");
    }
    if sigv4.session_token.is_some() && sigv4.access_key.is_none() {
        messages.push("sigV4SessionToken requires sigV4AccessKey and sigV4SecretKey");
    }
    if sigv4.profile.is_some() && sigv4.access_key.is_some() {
        messages.push("sigV4AccessKey and sigV4Profile are mutually exclusive; set only one");
    }
    let own = (secret("AWS_ACCESS_KEY_ID"), secret("AWS_SECRET_ACCESS_KEY"));
    if let (Some(access_key), Some(secret_key)) = own
        && sigv4.access_key.is_none()
        && sigv4.profile.is_none()
    {
        set("sigV4AccessKey", MASK, "AWS_ACCESS_KEY_ID");
        set("sigV4SecretKey", MASK, "AWS_SECRET_ACCESS_KEY");
        (sigv4.access_key, sigv4.secret_key) = (Some(access_key), Some(secret_key));
        sigv4.session_token = secret("AWS_SESSION_TOKEN");
        if sigv4.session_token.is_some() {
            set("sigV4SessionToken", MASK, "AWS_SESSION_TOKEN");
        }
    }
    if let (None, Some(profile)) = (&sigv4.profile, variable("AWS_PROFILE")) {
        if sigv4.access_key.is_none() {
            set("sigV4Profile", &profile, "AWS_PROFILE");
        }
        sigv4.profile = Some(profile);
    }
    let file = |variable, default| {
        let of_user = || env::home_dir().map(|home| home.join(default).into());
        secret(variable).map(|file| file.expose().into()).or_else(of_user)
    };
    sigv4.credentials_file = file("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials");
    sigv4.config_file = file("AWS_CONFIG_FILE", ".aws/config");
    let region = ["AWS_REGION", "AWS_DEFAULT_REGION"].into_iter().find_map(|name| Some((name, variable(name)?)));
    match region {
        _ if sigv4.region.is_some() => {}
        Some((name, region)) => {
            set("sigV4Region", &region, name);
            sigv4.region = Some(region);
        }
        None => messages.push("signing requests for AWS requires a region; set sigV4Region or AWS_REGION"),
    }
    messages
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Variables {
        variables.iter().map(|&(name, value)| (name.into(), value.into())).collect()
    }

    #[test]
    fn aws_variables_complete_the_options() {
        let environment = environment(&[
            ("AWS_ACCESS_KEY_ID", "AKID"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("AWS_SESSION_TOKEN", "token"),
            ("AWS_REGION", ""),
            ("AWS_DEFAULT_REGION", "eu-west-1"),
            ("AWS_PROFILE", "load"),
            ("AWS_SHARED_CREDENTIALS_FILE", "/keys"),
        ]);
        let mut sigv4 = SigV4Options::default();
        assert_eq!(complete(&mut sigv4, &environment, &mut SetOptions::default()), [""; 0]);
        assert_eq!((sigv4.region.as_deref(), sigv4.access_key), (Some("eu-west-1"), Some("AKID".into())));
        assert_eq!((sigv4.secret_key, sigv4.session_token), (Some("secret".into()), Some("token".into())));

        // The keys of the environment are not mixed with those of options, nor do they take precedence over a profile.
        let given =
            SigV4Options { access_key: Some("OWN".into()), secret_key: Some("own".into()), ..SigV4Options::default() };
        let mut sigv4 = SigV4Options { region: Some("us-east-1".into()), ..given };
        assert_eq!(complete(&mut sigv4, &environment, &mut SetOptions::default()), [""; 0]);
        assert_eq!((sigv4.region.as_deref(), sigv4.session_token), (Some("us-east-1"), None));
        let mut sigv4 = SigV4Options { profile: Some("team".into()), ..SigV4Options::default() };
        assert_eq!(complete(&mut sigv4, &environment, &mut SetOptions::default()), [""; 0]);
        assert_eq!(
            (sigv4.access_key, sigv4.profile.as_deref(), sigv4.credentials_file),
            (None, Some("team"), Some("/keys".into()))
        );
    }

    #[test]
    fn missing_options_are_reported() {
        let region = || Some("us-east-1".into());
        for (mut sigv4, message) in [
            (SigV4Options::default(), "requires a region"),
            (
                SigV4Options { region: region(), access_key: Some("a".into()), ..SigV4Options::default() },
                "must be set together",
            ),
            (
                SigV4Options { region: region(), session_token: Some("a".into()), ..SigV4Options::default() },
                "sigV4SessionToken requires",
            ),
            (
                SigV4Options {
                    region: region(),
                    access_key: Some("a".into()),
                    secret_key: Some("a".into()),
                    profile: Some("a".into()),
                    ..SigV4Options::default()
                },
                "mutually exclusive",
            ),
        ] {
            let messages = complete(&mut sigv4, &Variables::new(), &mut SetOptions::default());
            assert!(messages.len() == 1 && messages[0].contains(message), "{messages:?}");
        }
    }
}
