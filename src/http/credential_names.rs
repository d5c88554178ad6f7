//! Names of headers and of parameters of a query that hold credentials.

/// Parts of the names of headers and parameters that hold credentials.
const CREDENTIAL_NAMES: [&str; 8] =
    ["auth", "token", "secret", "password", "credential", "signature", "cookie", "apikey"];

/// Reports whether a header or a parameter of this name usually holds credentials, such as `X-Api-Key`.
pub fn names_credentials(name: &str) -> bool {
    let words = name.to_ascii_lowercase();
    let joined = words.replace(['-', '_', '.'], "");
    let is_key = |word: &str| matches!(word, "key" | "sig" | "pwd" | "pass");
    CREDENTIAL_NAMES.iter().any(|part| joined.contains(part)) || words.split(['-', '_', '.']).any(is_key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_credentials_are_known() {
        for name in [
            "X-Api-Key",
            "api_key",
            "apikey",
            "Authorization",
            "Proxy-Authorization",
            "X-Auth-Token",
            "PRIVATE-TOKEN",
            "Cookie",
            "sig",
            "X-Amz-Signature",
            "access_key",
            "client_secret",
            "DD-API-KEY",
            "X-Password",
        ] {
            assert!(names_credentials(name), "{name}");
        }
        for name in ["X-Scope-OrgID", "tenant", "db", "THANOS-TENANT", "monkey", "design", "X-Keyspace", ""] {
            assert!(!names_credentials(name), "{name}");
        }
    }
}
