//! Signatures for AWS: what its own variables add to the options, and what must not be left out.

use std::collections::BTreeMap;
use std::env;

use crate::config::auth_options::SigV4Options;
use crate::config::options;

/// The options that ask for signatures.
pub const OPTIONS: [&str; 6] = [
    options::SIGV4_REGION,
    options::SIGV4_SERVICE,
    options::SIGV4_ACCESS_KEY,
    options::SIGV4_SECRET_KEY,
    options::SIGV4_SESSION_TOKEN,
    options::SIGV4_PROFILE,
];

/// Completes what options say by AWS's own variables, which are below all of them. Returns what is wrong, as the rest of a
/// sentence.
pub fn complete(sigv4: &mut SigV4Options, environment: &BTreeMap<String, String>) -> Vec<String> {
    let variable = |name: &str| environment.get(name).filter(|value| !value.is_empty()).cloned();
    let mut problems = Vec::new();
    if sigv4.access_key.is_some() != sigv4.secret_key.is_some() {
        problems.push("has one of sigV4AccessKey and sigV4SecretKey; allowed are both, or none".into());
    }
    if sigv4.session_token.is_some() && sigv4.access_key.is_none() {
        problems.push("has a sigV4SessionToken without sigV4AccessKey and sigV4SecretKey, whose it is".into());
    }
    if sigv4.profile.is_some() && sigv4.access_key.is_some() {
        problems.push("has keys for AWS and a sigV4Profile; allowed is either".into());
    }
    let own = (variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY"));
    if let (Some(access_key), Some(secret_key)) = own
        && sigv4.access_key.is_none()
        && sigv4.profile.is_none()
    {
        (sigv4.access_key, sigv4.secret_key) = (Some(access_key), Some(secret_key.into()));
        sigv4.session_token = variable("AWS_SESSION_TOKEN").map(Into::into);
    }
    sigv4.profile = sigv4.profile.take().or_else(|| variable("AWS_PROFILE"));
    sigv4.file = match (variable("AWS_SHARED_CREDENTIALS_FILE"), env::home_dir()) {
        (Some(file), _) => file.into(),
        (None, Some(home)) => home.join(".aws/credentials"),
        (None, None) => ".aws/credentials".into(),
    };
    let region = sigv4.region.take().or_else(|| variable("AWS_REGION")).or_else(|| variable("AWS_DEFAULT_REGION"));
    match region {
        Some(region) => sigv4.region = Some(region),
        None => problems.push("asks for signatures of AWS without a region; set sigV4Region, or AWS_REGION".into()),
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> BTreeMap<String, String> {
        variables.iter().map(|&(name, value)| (name.into(), value.into())).collect()
    }

    #[test]
    fn awss_variables_fill_what_options_leave_open() {
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
        assert_eq!(complete(&mut sigv4, &environment), [""; 0]);
        assert_eq!((sigv4.region.as_deref(), sigv4.access_key.as_deref()), (Some("eu-west-1"), Some("AKID")));
        assert_eq!((sigv4.secret_key, sigv4.session_token), (Some("secret".into()), Some("token".into())));

        // The keys of the environment are not mixed with those of options, nor do they win over a profile that is asked for.
        let given =
            SigV4Options { access_key: Some("OWN".into()), secret_key: Some("own".into()), ..SigV4Options::default() };
        let mut sigv4 = SigV4Options { region: Some("us-east-1".into()), ..given };
        assert_eq!(complete(&mut sigv4, &environment), [""; 0]);
        assert_eq!((sigv4.region.as_deref(), sigv4.session_token), (Some("us-east-1"), None));
        let mut sigv4 = SigV4Options { profile: Some("team".into()), ..SigV4Options::default() };
        assert_eq!(complete(&mut sigv4, &environment), [""; 0]);
        assert_eq!(
            (sigv4.access_key, sigv4.profile.as_deref(), sigv4.file.to_str()),
            (None, Some("team"), Some("/keys"))
        );
    }

    #[test]
    fn what_is_left_out_is_told() {
        let region = || Some("us-east-1".into());
        for (mut sigv4, problem) in [
            (SigV4Options::default(), "without a region"),
            (SigV4Options { region: region(), access_key: Some("a".into()), ..SigV4Options::default() }, "has one of"),
            (
                SigV4Options { region: region(), session_token: Some("a".into()), ..SigV4Options::default() },
                "sigV4SessionToken without",
            ),
            (
                SigV4Options {
                    region: region(),
                    access_key: Some("a".into()),
                    secret_key: Some("a".into()),
                    profile: Some("a".into()),
                    ..SigV4Options::default()
                },
                "allowed is either",
            ),
        ] {
            let problems = complete(&mut sigv4, &BTreeMap::new());
            assert!(problems.len() == 1 && problems[0].contains(problem), "{problems:?}");
        }
    }
}
