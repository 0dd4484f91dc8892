//! What a site's own code decided: the columns of its accounts, and how its sessions name them.

use nextbnb_migrations::UserColumns;

use super::units::is_name;
use crate::error::StartError;
use crate::session::user_key::{UserField, UserKey, UserObject};

/// Reads `--users-column`: a role, and the column that has it.
pub(super) fn parse_users_columns(typed: &[String]) -> Result<UserColumns, StartError> {
    let mut columns = UserColumns::default();
    let mut set = Vec::new();
    for text in typed.iter().map(|text| text.trim()).filter(|text| !text.is_empty()) {
        let refused = |reason| StartError::UsersColumn { typed: text.to_owned(), reason };
        let (role, name) = text.split_once('=').unwrap_or((text, ""));
        let column = match role {
            "id" => &mut columns.id,
            "email" => &mut columns.email,
            "password" => &mut columns.password,
            "name" => &mut columns.name,
            _ => return Err(refused("want id=, email=, password= or name=, and a column")),
        };
        if !is_name(name) {
            return Err(refused("want a column of 1 to 63 bytes without NUL"));
        }
        if set.contains(&role) {
            return Err(refused("the role is there twice"));
        }
        set.push(role);
        name.clone_into(column);
    }
    let UserColumns { id, email, password, name } = &columns;
    let names = [id, email, password, name];
    let twice = names
        .iter()
        .enumerate()
        .find(|(index, name)| names.iter().skip(index + 1).any(|other| other == *name));
    match twice {
        Some((_, name)) => Err(StartError::UsersColumn {
            typed: (*name).clone(),
            reason: "want another column for each of id, email, password and name",
        }),
        None => Ok(columns),
    }
}

/// Reads `--session-user-key`.
pub(super) fn parse_user_key(typed: &str) -> Result<UserKey, StartError> {
    let members = match typed {
        "email" => return Ok(UserKey::Email),
        "id" => return Ok(UserKey::Id),
        "object" => "id,email",
        other => other.strip_prefix("object:").unwrap_or_default(),
    };
    let members: Option<Vec<_>> =
        members.split(',').map(|text| parse_member(text.trim())).collect();
    let object = members.and_then(UserObject::new);
    object.map(UserKey::Object).ok_or_else(|| StartError::UserKey { typed: typed.to_owned() })
}

/// Reads `email`, or `username=email`.
fn parse_member(text: &str) -> Option<(String, UserField)> {
    let (name, field) = text.split_once('=').unwrap_or((text, text));
    let field = match field {
        "id" => UserField::Id,
        "email" => UserField::Email,
        "name" => UserField::Name,
        _ => return None,
    };
    (!name.is_empty()).then(|| (name.to_owned(), field))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_columns(typed: &[&str], expected: Result<[&str; 4], &str>) {
        let typed: Vec<String> = typed.iter().map(|&text| text.to_owned()).collect();
        let parsed = parse_users_columns(&typed).map_err(|error| error.to_string());
        match expected {
            Ok([id, email, password, name]) => {
                let [id, email, password, name] = [id, email, password, name].map(str::to_owned);
                assert_eq!(parsed, Ok(UserColumns { id, email, password, name }));
            }
            Err(part) => assert!(parsed.as_ref().is_err_and(|e| e.contains(part)), "{parsed:?}"),
        }
    }

    #[test]
    fn a_column_is_a_role_and_a_name() {
        check_columns(&[], Ok(["id", "email", "password", "name"]));
        check_columns(&[""], Ok(["id", "email", "password", "name"]));
        check_columns(
            &["email=mail_address", " password=hash=x", "name=full_name", "id=user_id"],
            Ok(["user_id", "mail_address", "hash=x", "full_name"]),
        );
        check_columns(&["mail=x"], Err("want id="));
        check_columns(&["x"], Err("want id="));
        check_columns(&["email"], Err("want a column of 1 to 63"));
        check_columns(&["email="], Err("want a column of 1 to 63"));
        check_columns(&["email=a", "email=a"], Err("there twice"));
        check_columns(&["email=password"], Err("want another column"));
    }

    #[track_caller]
    fn check_key(typed: &str, members: Option<&[(&str, UserField)]>) {
        let expected = members.map(|members| {
            let members = members.iter().map(|(name, field)| ((*name).to_owned(), *field));
            UserKey::Object(UserObject::new(members.collect()).unwrap())
        });
        assert_eq!(parse_user_key(typed).ok(), expected, "{typed}");
    }

    #[test]
    fn a_user_key_is_the_address_the_id_or_an_object_with_the_id() {
        assert_eq!(parse_user_key("email").unwrap(), UserKey::Email);
        assert_eq!(parse_user_key("id").unwrap(), UserKey::Id);
        check_key("object", Some(&[("id", UserField::Id), ("email", UserField::Email)]));
        check_key("object:_id=id", Some(&[("_id", UserField::Id)]));
        let passports = [("id", UserField::Id), ("username", UserField::Email)];
        check_key("object:id, username=email", Some(&passports));
        for typed in ["", "name", "object:", "object:email", "object:id,id", "object:id,role", "Id"]
        {
            check_key(typed, None);
        }
    }
}
