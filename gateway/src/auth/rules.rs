//! What new accounts must be like.

use super::refusal::{Fault, Refusal};

/// Longest address: what the column holds.
const EMAIL_CHARACTERS: usize = 255;

/// Longest name.
const NAME_CHARACTERS: usize = 100;

/// Shortest password at registration.
const PASSWORD_CHARACTERS: usize = 8;

/// Longest password at registration: what comes after it bcrypt ignores.
const PASSWORD_BYTES: usize = 72;

fn rule(words: &'static str) -> Refusal {
    Refusal::Invalid(Fault::Rule(words))
}

/// What a rule wants, without the words that a visitor is asked with.
pub(super) fn wanted(words: &'static str) -> &'static str {
    ["Please enter ", "Please choose "]
        .into_iter()
        .find_map(|asked| words.strip_prefix(asked))
        .unwrap_or(words)
}

pub(super) fn check_storable(email: &str) -> Result<(), Refusal> {
    if email.contains('\0') || email.chars().count() > EMAIL_CHARACTERS {
        return Err(rule("Please enter an email address of at most 255 characters"));
    }
    Ok(())
}

pub(super) fn check_email(email: &str) -> Result<(), Refusal> {
    let is_odd = |c: char| c.is_control() || c.is_whitespace();
    let is_address = email.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty() && !domain.is_empty() && !domain.contains('@')
    });
    if !is_address || email.contains(is_odd) || email.chars().count() > EMAIL_CHARACTERS {
        return Err(rule("Please enter an email address, such as ada@example.com"));
    }
    Ok(())
}

pub(super) fn check_password(password: &str) -> Result<(), Refusal> {
    if password.chars().count() < PASSWORD_CHARACTERS {
        return Err(rule("Please choose a password of at least 8 characters"));
    }
    if password.len() > PASSWORD_BYTES {
        return Err(rule("Please choose a password of at most 72 bytes"));
    }
    // bcrypt repeats a password with a NUL after each: "a\0a" would be as good as "a".
    if password.contains('\0') {
        return Err(rule("Please choose a password without the NUL character"));
    }
    Ok(())
}

pub(super) fn check_name(name: &str) -> Result<(), Refusal> {
    if name.contains(char::is_control) || name.chars().count() > NAME_CHARACTERS {
        return Err(rule("Please choose a name of at most 100 ordinary characters"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_email_is(email: &str, accepted: bool) {
        assert_eq!(check_email(email).is_ok(), accepted, "{email}");
    }

    #[test]
    fn an_address_has_one_at_sign_and_nothing_odd() {
        check_email_is("a@b.c", true);
        check_email_is("a+b@localhost", true);
        check_email_is("é@ü.example", true);
        check_email_is(&format!("{}@b.c", "é".repeat(251)), true);
        check_email_is(&format!("{}@b.c", "a".repeat(252)), false);
        for email in ["", "a", "@", "a@", "@b", "a@b@c", "a b@c", "a@b\n", "a@b\u{a0}", "\0@b"] {
            check_email_is(email, false);
        }
    }

    #[test]
    fn an_operator_is_told_what_is_wanted() {
        let refusals = [
            check_storable("\0"),
            check_email(""),
            check_password(""),
            check_password(&"x".repeat(73)),
            check_password("12345678\0"),
            check_name("\n"),
        ];
        for refusal in refusals {
            let Err(Refusal::Invalid(Fault::Rule(words))) = refusal else { panic!("{refusal:?}") };
            assert!(wanted(words).starts_with('a'), "{words}");
        }
    }

    #[track_caller]
    fn check_password_is(password: &str, accepted: bool) {
        assert_eq!(check_password(password).is_ok(), accepted, "{password}");
    }

    #[test]
    fn a_password_has_8_characters_to_72_bytes() {
        check_password_is("1234567", false);
        check_password_is("12345678", true);
        check_password_is("éééé", false);
        check_password_is("éééééééé", true);
        check_password_is("\u{1} \t\n\u{7f}  x", true);
        check_password_is("\0 \t\n\u{7f}  x", false);
        check_password_is(&"x".repeat(72), true);
        check_password_is(&"x".repeat(73), false);
        check_password_is(&"é".repeat(37), false);
    }
}
