//! What COPY reads S3 by: a role that the cluster has, or the keys of whoever stages.

use std::fmt;

use super::table::literal;
use crate::{
    Address, Error, Failure,
    aws::{Account, clients, wait},
    sink::sql::Trouble,
};

/// What an address says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Credentials {
    by: By,
    /// Where the bucket is, as SQL.
    region: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum By {
    /// A role, or several of which each takes on the next, as SQL.
    Role(String),
    /// The keys of who stages, asked for at each load: they may end.
    Keys,
}

/// The clauses of one COPY.
pub(super) struct Clauses {
    pub(super) sql: String,
    /// What of it nobody may see.
    secrets: Vec<String>,
}

impl fmt::Debug for Clauses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl Credentials {
    /// Reads an address: `role=`, or `copy=keys`; where a region is said, it is the bucket's.
    pub(super) fn of(address: &Address) -> Result<Self, Error> {
        let refuse = |what: &str| {
            let failure = Failure::new(what).at(address.to_string());
            let help = "add role=arn:aws:iam::123456789012:role/name, role=default for the cluster's own, or copy=keys for \
                        the keys of who stages";
            Err(Error::Config(failure.help(help)))
        };
        let is_part = |letter: char| letter.is_ascii_alphanumeric() || ":/_+=,.@-".contains(letter);
        let by = match (address.option("role"), address.option("copy")) {
            (None, Some("keys")) => By::Keys,
            (Some(_), Some("keys")) => return refuse("the address names a role and wants keys"),
            (_, Some(other)) if other != "role" => return refuse(&format!("there is no copy=`{other}`")),
            (Some("default"), _) => By::Role("default".to_owned()),
            (Some(role), _) if role.starts_with("arn:") && role.chars().all(is_part) => By::Role(literal(role)),
            _ => return refuse("the address names no role that Redshift reads S3 by"),
        };
        let region = address.option("region").map(|region| format!(" REGION {}", literal(region))).unwrap_or_default();
        Ok(Self { by, region })
    }

    /// What stands between `FROM` and the options, now; `account` is who stages.
    pub(super) fn clauses(&self, account: &Account) -> Result<Clauses, Error> {
        let keys = match &self.by {
            By::Role(role) => {
                return Ok(Clauses { sql: format!("IAM_ROLE {role}{}", self.region), secrets: Vec::new() });
            }
            By::Keys => wait(clients::keys(account))?,
        };
        let sql = self.with_keys(&keys.id, &keys.secret, keys.token.as_deref());
        Ok(Clauses { sql, secrets: [Some(keys.id), Some(keys.secret), keys.token].into_iter().flatten().collect() })
    }

    /// The same for people.
    pub(super) fn redacted(&self) -> String {
        match &self.by {
            By::Role(role) => format!("IAM_ROLE {role}{}", self.region),
            By::Keys => self.with_keys("…", "…", Some("…")),
        }
    }

    fn with_keys(&self, id: &str, secret: &str, token: Option<&str>) -> String {
        let token = token.map(|token| format!(" SESSION_TOKEN {}", literal(token))).unwrap_or_default();
        let (id, secret) = (literal(id), literal(secret));
        format!("ACCESS_KEY_ID {id} SECRET_ACCESS_KEY {secret}{token}{}", self.region)
    }
}

impl Clauses {
    /// The trouble without what the server has repeated of them.
    pub(super) fn concealed(&self, trouble: Trouble) -> Trouble {
        match trouble {
            Trouble::Own(error) => Trouble::Own(error),
            Trouble::Refused(mut account) => {
                account.cause = self.without_secrets(account.cause);
                Trouble::Refused(account)
            }
            Trouble::Passing(mut account) => {
                account.cause = self.without_secrets(account.cause);
                Trouble::Passing(account)
            }
        }
    }

    fn without_secrets(&self, text: String) -> String {
        self.secrets.iter().filter(|secret| !secret.is_empty()).fold(text, |text, secret| text.replace(secret, "…"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(rest: &str) -> Result<Credentials, Error> {
        Credentials::of(&format!("redshift://load@db/dev?staging=s3://w{rest}").parse().unwrap())
    }

    #[test]
    fn keys_are_shown_to_nobody() {
        let keys = of("&copy=keys&region=eu-central-1").unwrap();
        let shown = "ACCESS_KEY_ID '…' SECRET_ACCESS_KEY '…' SESSION_TOKEN '…' REGION 'eu-central-1'";
        assert_eq!(keys.redacted(), shown);
        let secrets = ["AKIA", "sword'fish", "token"].map(str::to_owned);
        let sql = keys.with_keys(&secrets[0], &secrets[1], Some(&secrets[2]));
        assert!(sql.starts_with("ACCESS_KEY_ID 'AKIA' SECRET_ACCESS_KEY 'sword''fish' SESSION_TOKEN 'token'"), "{sql}");
        let clauses = Clauses { sql, secrets: secrets.into() };
        assert_eq!(format!("{clauses:?}"), "…");
        assert_eq!(clauses.without_secrets("AKIA is unknown, sword'fish".to_owned()), "… is unknown, …");
    }

    #[test]
    fn a_role_or_keys_are_named_but_not_both() {
        assert!(of("&role=default&copy=role").is_ok() && of("&role=default").is_ok());
        for (rest, why) in [
            ("", "names no role"),
            ("&copy=role", "names no role"),
            ("&copy=keys&role=default", "names a role and wants keys"),
            ("&copy=key&role=default", "there is no copy=`key`"),
        ] {
            let said = of(rest).unwrap_err().to_string();
            assert!(said.contains(why), "{said}");
        }
    }
}
