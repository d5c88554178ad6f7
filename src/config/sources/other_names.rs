//! Names that are not options, but that users write for them: those of other tools, and those of the extension that came before
//! k6's own output.

use crate::config::options::options;
use crate::config::parse::names::{letters, nearest, similar};
use crate::config::spec::{OptionSpec, PREFIX};

/// Options and the names that other tools, or habit, have for them, without separators and capitals.
const OTHER_NAMES: &[(&str, &[&str])] = &[
    (
        "url",
        &[
            "url",
            "endpoint",
            "address",
            "host",
            "server",
            "writeurl",
            "remoteurl",
            "remotewriteurl",
            "remotewriteendpoint",
        ],
    ),
    ("username", &["user", "login", "basicauthuser", "basicauthusername", "instanceid"]),
    ("password", &["pass", "passwd", "pwd", "basicauthpass", "basicauthpassword"]),
    ("bearerToken", &["token", "apikey", "apitoken", "authtoken", "accesstoken", "bearer"]),
    (
        "headers",
        &[
            "header",
            "headers",
            "extraheaders",
            "customheaders",
            "tenant",
            "tenantid",
            "orgid",
            "scopeorgid",
            "xscopeorgid",
        ],
    ),
    ("pushInterval", &["flushperiod", "flushinterval", "interval", "period"]),
    (
        "trendAsNativeHistogram",
        &[
            "native",
            "nativehistogram",
            "nativehistograms",
            "trendnativehistogram",
            "trendsasnativehistogram",
            "trendsasnativehistograms",
            "trendasnativehistograms",
            "enablenativehistograms",
        ],
    ),
    ("trendStats", &["stats", "summarytrendstats", "trendstatistics", "trendsstats"]),
    ("insecureSkipTLSVerify", &["insecure", "skipverify", "skiptlsverify", "tlsskipverify", "insecureskipverify"]),
    ("caCertificate", &["ca", "cafile", "cacert", "cacertfile", "tlsca", "tlscafile", "tlscacert"]),
    ("clientCertificate", &["cert", "certfile", "clientcert", "tlscert", "tlscertfile"]),
    ("clientCertificateKey", &["key", "keyfile", "clientkey", "clientcertkey", "tlskey", "tlskeyfile"]),
    ("sigV4Region", &["region", "awsregion", "sigv4enabled", "awssigv4enabled", "sigv4", "awssigv4", "sigv4auth"]),
    ("sigV4Profile", &["awsprofile"]),
    ("sigV4AccessKey", &["accesskey", "accesskeyid", "awsaccesskey", "awsaccesskeyid"]),
    ("sigV4SecretKey", &["secretkey", "secretaccesskey", "awssecretkey", "awssecretaccesskey"]),
    ("labels", &["extralabels", "externallabels", "constantlabels", "tags"]),
    ("dropTags", &["keeptags", "keepnametag", "keepurltag", "excludetags", "ignoretags", "blacklisttags"]),
    ("metricPrefix", &["prefix", "namespace"]),
    ("proxy", &["httpproxy", "httpsproxy", "proxyurl"]),
];

/// Variables that grafana/xk6-output-prometheus-remote read up to v0.0.7, and that have another name here. Those of its later
/// versions are still in use.
const PREDECESSORS: &[(&str, &str)] = &[
    ("K6_PROMETHEUS_REMOTE_URL", "url"),
    ("K6_PROMETHEUS_USER", "username"),
    ("K6_PROMETHEUS_USERNAME", "username"),
    ("K6_PROMETHEUS_PASSWORD", "password"),
    ("K6_PROMETHEUS_HEADERS", "headers"),
    ("K6_PROMETHEUS_INSECURE_SKIP_TLS_VERIFY", "insecureSkipTLSVerify"),
    ("K6_CA_CERT_FILE", "caCertificate"),
    ("K6_PROMETHEUS_FLUSH_PERIOD", "pushInterval"),
    ("K6_PROMETHEUS_PUSH_INTERVAL", "pushInterval"),
    ("K6_PROMETHEUS_TREND_STATS", "trendStats"),
    ("K6_PROMETHEUS_TREND_AS_NATIVE_HISTOGRAM", "trendAsNativeHistogram"),
    ("K6_KEEP_TAGS", "dropTags"),
    ("K6_KEEP_NAME_TAG", "dropTags"),
    ("K6_KEEP_URL_TAG", "dropTags"),
];

/// The one that has no counterpart: names and units are always those of Prometheus.
const MAPPING: &str = "K6_PROMETHEUS_MAPPING";

/// The beginning of its variables for single headers.
const HEADER_PREFIX: &str = "K6_PROMETHEUS_HEADERS_";

/// The beginning of most of its variables, and of all variables of today.
const OLD_PREFIX: &str = "K6_PROMETHEUS_";

/// The variable of today for one of an older output.
pub enum Predecessor {
    /// It sets this option.
    Option(&'static OptionSpec),
    /// It is a single header, with this variable.
    Header(String),
    /// Nothing replaces it.
    Dropped,
}

/// Returns the counterpart of a variable of the extension before k6's own output; `None` for other variables.
pub fn predecessor(variable: &str) -> Option<Predecessor> {
    if let Some(header) = variable.strip_prefix(HEADER_PREFIX) {
        return Some(Predecessor::Header(format!("{PREFIX}HEADERS_{header}")));
    }
    if variable == MAPPING {
        return Some(Predecessor::Dropped);
    }
    let listed = PREDECESSORS.iter().find(|(name, _)| *name == variable).and_then(|(_, option)| named(option));
    // Others had never been read, but were meant: K6_PROMETHEUS_SERVER_URL.
    let by_today = || {
        let variable = format!("{PREFIX}{}", variable.strip_prefix(OLD_PREFIX)?);
        options().find(|option| option.variables().any(|known| known == variable))
    };
    listed.or_else(by_today).map(Predecessor::Option)
}

/// Returns the options that an unknown name may be meant to be, the likeliest first. A variable comes without [`PREFIX`].
pub fn options_meant_by(written: &str) -> Vec<&'static OptionSpec> {
    if let Some(option) = options().find(|option| option.is_known_as(written)) {
        return vec![option];
    }
    let known: Vec<_> = options().map(Names::of).collect();
    let all: Vec<_> = known.iter().flat_map(|names| names.all.iter().map(String::as_str)).collect();
    let option_of = |name: &&str| known.iter().find(|names| names.all.iter().any(|own| own == name));
    if let Some(near) = nearest(written, &all).filter(|_| other_name(written).is_none()) {
        return option_of(&near).map(|names| names.option).into_iter().collect();
    }
    if let Some(option) = other_name(written) {
        return vec![option];
    }
    let mut meant: Vec<&'static OptionSpec> = Vec::new();
    for names in similar(written, &all).iter().filter_map(option_of) {
        if meant.iter().all(|option| option.name != names.option.name) {
            meant.push(names.option);
        }
    }
    meant
}

/// All names of an option.
struct Names {
    option: &'static OptionSpec,
    all: Vec<String>,
}

impl Names {
    fn of(option: &'static OptionSpec) -> Self {
        let variables = option.variables().map(|variable| variable[PREFIX.len()..].to_string());
        Self { option, all: [option.name.into(), option.script_name().into()].into_iter().chain(variables).collect() }
    }
}

fn other_name(written: &str) -> Option<&'static OptionSpec> {
    let longest = OTHER_NAMES.iter().flat_map(|(_, names)| *names).map(|name| name.len()).max();
    if Some(written.len()) > longest.map(|longest| 2 * longest) {
        return None;
    }
    let written = letters(written);
    OTHER_NAMES.iter().find(|(_, names)| names.contains(&&*written)).and_then(|(option, _)| named(option))
}

fn named(name: &str) -> Option<&'static OptionSpec> {
    options().find(|option| option.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_other_name_is_for_an_option_that_has_it_not_itself() {
        for (option, names) in OTHER_NAMES {
            assert!(named(option).is_some(), "{option}");
            for name in *names {
                assert_eq!(letters(name), *name);
                assert!(options_meant_by(name).iter().any(|meant| meant.name == *option), "{name} for {option}");
            }
        }
        assert!(PREDECESSORS.iter().all(|(_, option)| named(option).is_some()));
    }

    #[test]
    fn names_that_users_write_lead_to_one_option() {
        for (written, option) in [
            ("NATIVE_HISTOGRAMS", "trendAsNativeHistogram"),
            ("AWS_SIGV4_ENABLED", "sigV4Region"),
            ("USER", "username"),
            ("REGION", "sigV4Region"),
            ("URL", "url"),
            ("SERVER", "url"),
            ("TOKEN", "bearerToken"),
            ("HEADERS", "headers"),
            ("TLS_MIN", "tlsMinVersion"),
            ("TREND_STAT", "trendStats"),
            ("pushIntervall", "pushInterval"),
            ("credentials.tokn", "bearerToken"),
            ("QUEUE_SIZE", "queueBytes"),
            ("UNSENT_FILES", "unsentDirectory"),
        ] {
            let meant: Vec<_> = options_meant_by(written).iter().map(|option| option.name).collect();
            assert_eq!(meant, [option], "{written}");
        }
        for unlike in ["QWX", "JOB", ""] {
            assert!(options_meant_by(unlike).is_empty(), "{unlike}");
        }
    }
}
