//! Credentials as the Express server's JavaScript took them: `if (!email)`, `!==`, and numbers
//! that become texts on their way into a column.

use serde_json::{Map, Number, Value};

use super::credentials::{Login, Password, PasswordPolicy, Registration};
use super::refusal::{Fault, Refusal};
use super::rules::check_name;

pub(super) fn login(fields: &Map<String, Value>) -> Result<Login, Refusal> {
    match (truthy(fields, "email"), truthy(fields, "password")) {
        (Some(Value::String(email)), Some(password)) => {
            let password = password.as_str().map(|password| Password(password.to_owned()));
            Ok(Login { email: email.clone(), password })
        }
        (Some(_), Some(_)) => Err(Refusal::Invalid(Fault::NotText)),
        _ => Err(Refusal::Invalid(Fault::Required)),
    }
}

pub(super) fn registration(
    policy: PasswordPolicy,
    fields: &Map<String, Value>,
) -> Result<Registration, Refusal> {
    let password = fields.get("password");
    let confirmation =
        fields.get("passwordconfirmation").or_else(|| fields.get("passwordConfirmation"));
    if !are_strictly_equal(password, confirmation) {
        return Err(Refusal::Invalid(Fault::Apart));
    }
    let email = match fields.get("email") {
        Some(Value::String(email)) => email.clone(),
        Some(Value::Number(number)) => as_text(number),
        Some(Value::Bool(is)) => is.to_string(),
        None | Some(Value::Null) => return Err(Refusal::Invalid(Fault::Required)),
        Some(_) => return Err(Refusal::Invalid(Fault::NotText)),
    };
    let password = match password {
        Some(Value::String(password)) => password,
        None | Some(Value::Null) => return Err(Refusal::Invalid(Fault::Required)),
        Some(_) => return Err(Refusal::Invalid(Fault::NotText)),
    };
    if email.is_empty() {
        return Err(Refusal::Invalid(Fault::EmptyAddress));
    }
    if email.contains('\0') || email.chars().count() > 255 {
        return Err(Refusal::Invalid(Fault::NotText));
    }
    // Express reads no name, so that none can be wrong.
    let name = fields.get("name").and_then(Value::as_str).filter(|name| check_name(name).is_ok());
    Registration::checked(policy, email, password, name)
}

/// A value that is neither absent nor null, false, zero or empty, nor a list or an object, which
/// passport-local takes for absent.
fn truthy<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    fields.get(name).filter(|value| match value {
        Value::Null | Value::Bool(false) | Value::Array(_) | Value::Object(_) => false,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Bool(true) => true,
    })
}

/// JavaScript's `===`, for which no list or object equals another.
fn are_strictly_equal(one: Option<&Value>, other: Option<&Value>) -> bool {
    match (one, other) {
        (Some(Value::Array(_) | Value::Object(_)), _) => false,
        (Some(Value::Number(one)), Some(Value::Number(other))) => one.as_f64() == other.as_f64(),
        (one, other) => one == other,
    }
}

/// As JavaScript writes a number, but for the very large and very small ones.
fn as_text(number: &Number) -> String {
    let is_whole = |value: &f64| value.fract() == 0.0 && value.abs() < 1e21;
    match number.as_f64().filter(is_whole) {
        Some(whole) => format!("{:.0}", whole + 0.0), // Zero has no sign.
        None => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check_login(fields: &Value, fault: Option<Fault>) {
        match (login(fields.as_object().unwrap()), fault) {
            (Ok(_), None) => {}
            (Err(Refusal::Invalid(is)), Some(fault)) => assert_eq!(is, fault, "{fields}"),
            (outcome, _) => panic!("{fields}: accepted is {}", outcome.is_ok()),
        }
    }

    #[test]
    fn a_login_is_missing_what_is_falsy() {
        let falsy = [json!(null), json!(""), json!(0), json!(false), json!(["a"]), json!({})];
        for falsy in falsy {
            check_login(&json!({"email": falsy, "password": "x"}), Some(Fault::Required));
            check_login(&json!({"email": "a", "password": falsy}), Some(Fault::Required));
        }
        check_login(&json!({}), Some(Fault::Required));
        for odd in [json!(5), json!(true)] {
            check_login(&json!({"email": odd, "password": "x"}), Some(Fault::NotText));
            check_login(&json!({"email": "a", "password": odd}), None);
        }
    }

    #[track_caller]
    fn check_registration(change: &Value, expected: Result<&str, Fault>) {
        let mut fields = json!({"email": "a", "password": "", "passwordconfirmation": ""});
        for (name, value) in change.as_object().unwrap() {
            fields[name] = value.clone();
        }
        match (registration(PasswordPolicy::None, fields.as_object().unwrap()), expected) {
            (Ok(registration), Ok(email)) => assert_eq!(registration.email, email),
            (Err(Refusal::Invalid(is)), Err(fault)) => assert_eq!(is, fault, "{change}"),
            (outcome, _) => panic!("{change}: accepted is {}", outcome.is_ok()),
        }
    }

    #[test]
    fn a_registration_compares_strictly_and_makes_texts_of_numbers() {
        check_registration(&json!({}), Ok("a"));
        check_registration(&json!({"email": 5}), Ok("5"));
        check_registration(&json!({"email": -0.0}), Ok("0"));
        check_registration(&json!({"email": 1.5}), Ok("1.5"));
        check_registration(&json!({"email": true}), Ok("true"));
        check_registration(&json!({"email": ""}), Err(Fault::EmptyAddress));
        check_registration(&json!({"email": null}), Err(Fault::Required));
        check_registration(&json!({"email": ["a"]}), Err(Fault::NotText));
        check_registration(&json!({"email": "x".repeat(256)}), Err(Fault::NotText));
        check_registration(&json!({"password": "x"}), Err(Fault::Apart));
        for name in [json!("x".repeat(101)), json!("a\nb"), json!("\0"), json!(5)] {
            check_registration(&json!({ "name": name }), Ok("a"));
        }
        let both = |value: Value| json!({"password": value, "passwordconfirmation": value});
        check_registration(&both(json!(null)), Err(Fault::Required));
        check_registration(&both(json!(5)), Err(Fault::NotText));
        check_registration(&both(json!([])), Err(Fault::Apart));
    }
}
