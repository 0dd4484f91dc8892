//! What people type to sign in or to register, checked.

use std::fmt;

use clap::ValueEnum;
use serde_json::{Map, Value};

use super::refusal::{Fault, Refusal};
use super::rules::{check_email, check_name, check_password, check_storable};

/// A password in clear, which shows itself to nobody.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Password(pub(super) String);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(redacted)")
    }
}

/// A login: any two texts, for accounts are older than today's rules.
pub(super) struct Login {
    pub(super) email: String,
    /// `None` where Express found out only after the address that this is no text.
    pub(super) password: Option<Password>,
}

/// A registration that keeps the rules.
pub(super) struct Registration {
    pub(super) email: String,
    pub(super) password: Password,
    pub(super) name: Option<String>,
}

/// What new accounts must be like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PasswordPolicy {
    /// Rules for new accounts.
    ///
    /// A plausible address, and a password of 8 characters to 72 bytes.
    Standard,
    /// None.
    ///
    /// Whatever the columns hold: any text for an address, an empty password.
    None,
}

impl Login {
    pub(super) fn of(fields: &Map<String, Value>) -> Result<Self, Refusal> {
        let email = text(fields, "email")?.unwrap_or_default();
        let password = text(fields, "password")?.unwrap_or_default();
        if email.is_empty() || password.is_empty() {
            return Err(Refusal::Invalid(Fault::Required));
        }
        Ok(Self { email: email.to_owned(), password: Some(Password(password.to_owned())) })
    }
}

impl Registration {
    pub(super) fn of(policy: PasswordPolicy, fields: &Map<String, Value>) -> Result<Self, Refusal> {
        let email = text(fields, "email")?.unwrap_or_default();
        let password = text(fields, "password")?;
        let is_missing = match policy {
            PasswordPolicy::Standard => password.is_none_or(str::is_empty),
            PasswordPolicy::None => password.is_none(),
        };
        if email.is_empty() || is_missing {
            return Err(Refusal::Invalid(Fault::Required));
        }
        let confirmation = match text(fields, "passwordconfirmation")? {
            Some(confirmation) => Some(confirmation),
            None => text(fields, "passwordConfirmation")?,
        };
        if confirmation != password {
            return Err(Refusal::Invalid(Fault::Apart));
        }
        let name = text(fields, "name")?;
        Self::checked(policy, email.to_owned(), password.unwrap_or_default(), name)
    }

    /// Applies the rules for new accounts to fields of the right types.
    pub(super) fn checked(
        policy: PasswordPolicy,
        email: String,
        password: &str,
        name: Option<&str>,
    ) -> Result<Self, Refusal> {
        policy.check_email(&email)?;
        policy.check_password(password)?;
        let name = plain_name(name)?;
        let password = Password(password.to_owned());
        Ok(Self { email, password, name: name.map(str::to_owned) })
    }
}

impl PasswordPolicy {
    pub(super) fn check_email(self, email: &str) -> Result<(), Refusal> {
        match self {
            Self::Standard => check_email(email),
            Self::None => check_storable(email),
        }
    }

    pub(super) fn check_password(self, password: &str) -> Result<(), Refusal> {
        match self {
            Self::Standard => check_password(password),
            Self::None => Ok(()),
        }
    }
}

/// A name without blanks around it; one that is nothing else is none.
pub(super) fn plain_name(name: Option<&str>) -> Result<Option<&str>, Refusal> {
    let name = name.map(str::trim).filter(|name| !name.is_empty());
    check_name(name.unwrap_or_default())?;
    Ok(name)
}

/// A field that is absent or null is `None`; one that is no text is refused.
fn text<'a>(fields: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, Refusal> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Refusal::Invalid(Fault::NotText)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check_registration(change: &Value, refused: Option<Fault>) {
        let mut fields = json!({"email": "a@b.c", "password": "12345678",
            "passwordconfirmation": "12345678"});
        for (name, value) in change.as_object().unwrap() {
            fields[name] = value.clone();
        }
        match (Registration::of(PasswordPolicy::Standard, fields.as_object().unwrap()), refused) {
            (Ok(_), None) => {}
            (Err(Refusal::Invalid(fault)), Some(refused)) => assert_eq!(fault, refused),
            (outcome, _) => panic!("{change}: accepted is {}", outcome.is_ok()),
        }
    }

    #[test]
    fn a_confirmation_may_be_spelt_two_ways_and_must_be_there() {
        let none = json!(null);
        check_registration(&json!({}), None);
        check_registration(
            &json!({"passwordconfirmation": none, "passwordConfirmation": "12345678"}),
            None,
        );
        check_registration(&json!({"passwordconfirmation": none}), Some(Fault::Apart));
        check_registration(&json!({"passwordconfirmation": "x"}), Some(Fault::Apart));
    }

    #[test]
    fn without_a_policy_whatever_the_columns_hold_is_taken() {
        let accepts = |email: &str, password: &str| {
            let fields = json!({"email": email, "password": password,
                "passwordconfirmation": password});
            Registration::of(PasswordPolicy::None, fields.as_object().unwrap()).is_ok()
        };
        assert!(accepts("not an email", "") && accepts("a\n", "x") && accepts("@@", "y"));
        assert!(accepts(&"é".repeat(255), "x") && !accepts(&"é".repeat(256), "x"));
        assert!(!accepts("", "x") && !accepts("a\0", "x"));
        let bare = json!({"email": "a"});
        assert!(Registration::of(PasswordPolicy::None, bare.as_object().unwrap()).is_err());
    }

    #[test]
    fn a_name_is_optional_and_plain() {
        let refused = Some(Fault::Rule("Please choose a name of at most 100 ordinary characters"));
        check_registration(&json!({"name": "Ada Lovelace é"}), None);
        check_registration(&json!({"name": ""}), None);
        check_registration(&json!({"name": "é".repeat(100)}), None);
        check_registration(&json!({"name": "é".repeat(101)}), refused);
        check_registration(&json!({"name": "a\nb"}), refused);
        check_registration(&json!({"name": 5}), Some(Fault::NotText));
    }

    #[test]
    fn a_login_wants_two_texts_and_knows_no_policy() {
        let login = |fields: Value| Login::of(fields.as_object().unwrap()).is_ok();
        assert!(login(json!({"email": "not-an-email", "password": "x"})));
        assert!(login(json!({"email": "a", "password": "x".repeat(100)})));
        assert!(!login(json!({"email": "a@b.c", "password": 5})));
        assert!(!login(json!({"email": ["a@b.c"], "password": "x"})));
        assert!(!login(json!({"email": {}, "password": "x"})));
        assert!(!login(json!({"email": "a@b.c", "password": ""})));
        assert!(!login(json!({"password": "x"})));
        assert!(!login(json!({})));
    }

    #[test]
    fn a_password_does_not_show_itself() {
        assert_eq!(format!("{:?}", Password("hunter2".to_owned())), "Password(redacted)");
    }
}
