//! What `passport.user` holds: what a site's `serializeUser` gives to `done`.

use std::fmt;

use serde_json::Value;

use super::members::Members;
use crate::accounts::{AccountKey, Accounts};

/// How sessions name their accounts (`--session-user-key`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserKey {
    /// By the address: `done(null, user.email)`.
    Email,
    /// By the id, as a number where JavaScript has one: `done(null, user.id)`.
    Id,
    /// By an object with the id in it: `done(null, { id: user.id, username: user.username })`.
    Object(UserObject),
}

/// The members of an object that names an account, in order; one of them is the id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserObject(pub(super) Vec<(String, UserField)>);

/// What of an account a member holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserField {
    /// The id.
    Id,
    /// The address.
    Email,
    /// What the person wants to be called; `null` where they did not say.
    Name,
}

impl UserObject {
    /// `None` unless just one member is the id, and each has a name of its own.
    pub fn new(members: Vec<(String, UserField)>) -> Option<Self> {
        let ids = members.iter().filter(|(_, field)| *field == UserField::Id).count();
        let is_twice = |(index, (name, _)): (usize, &(String, UserField))| {
            members.iter().skip(index + 1).any(|(other, _)| other == name)
        };
        let is_sound = ids == 1 && !members.iter().enumerate().any(is_twice);
        is_sound.then_some(Self(members))
    }

    fn id_member(&self) -> &str {
        let id = self.0.iter().find(|(_, field)| *field == UserField::Id);
        id.map_or("id", |(name, _)| name)
    }
}

/// What a row says of whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoredUser {
    /// Nobody's: what passport's session strategy asks nothing for.
    Nobody,
    /// An account's, which may be gone.
    Named(Named),
    /// Not in a way that the setting reads.
    Foreign(UserShape),
}

/// The name of an account in a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named(pub(super) AccountKey);

/// What another setting would read, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum UserShape {
    /// Read by `email`.
    Address,
    /// Read by `id`.
    Id,
    /// Read by `object`, if a member is the id.
    Object,
    /// Read by none.
    Other,
}

impl StoredUser {
    /// The address, or the id as text, by which the row names an account.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Named(Named(AccountKey::Email(name) | AccountKey::Id(name))) => Some(name),
            Self::Nobody | Self::Foreign(_) => None,
        }
    }
}

impl UserKey {
    /// Reads `passport.user` from a row's text.
    pub(super) fn read(&self, passport: Option<&Members<'_>>) -> StoredUser {
        let Some(raw) = passport.and_then(|passport| passport.raw("user")) else {
            return StoredUser::Nobody;
        };
        let value = match raw {
            // False in JavaScript; 0 is not, for passport.
            "null" | "false" | "\"\"" => return StoredUser::Nobody,
            raw => serde_json::from_str::<Value>(raw),
        };
        let key = match (self, &value) {
            (Self::Email, Ok(Value::String(text))) => AccountKey::Email(text.clone()),
            (Self::Id, Ok(value)) if id_text(value).is_some() => {
                AccountKey::Id(id_text(value).unwrap_or_default())
            }
            (Self::Object(object), _) => match id_of_object(raw, object.id_member()) {
                Some(id) => AccountKey::Id(id),
                None => return StoredUser::Foreign(UserShape::of(raw)),
            },
            (Self::Email | Self::Id, _) => return StoredUser::Foreign(UserShape::of(raw)),
        };
        StoredUser::Named(Named(key))
    }
}

impl Named {
    pub(crate) fn key(&self) -> &AccountKey {
        &self.0
    }

    /// What it is where no account has it: `None` if that one is gone.
    pub(crate) fn shape_without(&self, accounts: &Accounts) -> Option<UserShape> {
        (!accounts.could_be(&self.0)).then_some(self.other_shape())
    }

    /// What it is if not what the setting takes it for.
    pub(super) fn other_shape(&self) -> UserShape {
        match &self.0 {
            AccountKey::Email(_) => UserShape::Id,
            AccountKey::Id(_) => UserShape::Address,
        }
    }
}

fn id_text(value: &Value) -> Option<String> {
    match value {
        Value::Number(number) => number.as_i64().map(|number| number.to_string()),
        Value::String(text) => Some(text.clone()),
        _ => None,
    }
}

/// The other members may be anything.
fn id_of_object(raw: &str, member: &str) -> Option<String> {
    let id = Members::of(raw)?.raw(member)?;
    id_text(&serde_json::from_str(id).ok()?).filter(|id| !id.is_empty())
}

impl UserShape {
    fn of(raw: &str) -> Self {
        match serde_json::from_str(raw) {
            Ok(Value::Number(number)) if number.is_i64() => Self::Id,
            Ok(Value::String(text)) if text.contains('@') => Self::Address,
            Ok(Value::String(_)) => Self::Id,
            _ if raw.starts_with('{') => Self::Object,
            _ => Self::Other,
        }
    }

    /// What would read it.
    pub(crate) fn advice(self) -> &'static str {
        match self {
            Self::Address => "--session-user-key email would read it",
            Self::Id => "--session-user-key id would read it",
            Self::Object => "--session-user-key object:… with its members would read it",
            Self::Other => "no setting reads it",
        }
    }
}

impl fmt::Display for UserShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Address => "an address",
            Self::Id => "an id",
            Self::Object => "an object",
            Self::Other => "neither an address nor an id nor an object",
        })
    }
}

impl fmt::Display for UserKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Email => "email",
            Self::Id => "id",
            Self::Object(_) => "object",
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::session) fn object() -> UserKey {
        let members = [("id", UserField::Id), ("username", UserField::Email)];
        let members = members.map(|(name, field)| (name.to_owned(), field));
        UserKey::Object(UserObject::new(members.to_vec()).unwrap())
    }

    #[track_caller]
    fn check_read(key: &UserKey, user: &str, expected: &Result<AccountKey, Option<UserShape>>) {
        let text = format!(r#"{{"user":{user}}}"#);
        let read = match key.read(Members::of(&text).as_ref()) {
            StoredUser::Named(named) => Ok(named.0),
            StoredUser::Nobody => Err(None),
            StoredUser::Foreign(shape) => Err(Some(shape)),
        };
        assert_eq!(&read, expected, "{key} {user}");
    }

    fn check_id(key: &UserKey, user: &str, id: &str) {
        check_read(key, user, &Ok(AccountKey::Id(id.to_owned())));
    }

    #[test]
    fn an_address_is_read_from_a_text_alone() {
        let email = |text: &str| Ok(AccountKey::Email(text.to_owned()));
        check_read(&UserKey::Email, r#""\u00e9@b.c""#, &email("é@b.c"));
        check_read(&UserKey::Email, "5", &Err(Some(UserShape::Id)));
        check_read(&UserKey::Email, "0", &Err(Some(UserShape::Id)));
        check_read(&UserKey::Email, r#"{"id":5}"#, &Err(Some(UserShape::Object)));
        check_read(&UserKey::Email, "[5]", &Err(Some(UserShape::Other)));
        check_read(&UserKey::Email, "true", &Err(Some(UserShape::Other)));
        check_read(&UserKey::Email, r#""\ud800""#, &Err(Some(UserShape::Other)));
    }

    #[test]
    fn an_id_is_a_whole_number_or_a_text() {
        check_id(&UserKey::Id, "5", "5");
        check_id(&UserKey::Id, "0", "0");
        check_id(&UserKey::Id, "-1", "-1");
        check_id(&UserKey::Id, r#""9007199254740993""#, "9007199254740993");
        check_read(&UserKey::Id, "1.5", &Err(Some(UserShape::Other)));
        check_read(&UserKey::Id, r#"{"id":5}"#, &Err(Some(UserShape::Object)));
    }

    #[test]
    fn an_object_is_read_by_its_id_whatever_else_is_in_it() {
        check_id(&object(), r#"{"id":5,"username":"a@b.c"}"#, "5");
        check_id(&object(), r#"{"picture":"\ud800","id":"7"}"#, "7");
        check_read(&object(), r#"{"username":"a@b.c"}"#, &Err(Some(UserShape::Object)));
        check_read(&object(), r#"{"id":{}}"#, &Err(Some(UserShape::Object)));
        check_read(&object(), "5", &Err(Some(UserShape::Id)));
        check_read(&object(), r#""a@b.c""#, &Err(Some(UserShape::Address)));
    }

    #[test]
    fn what_is_false_in_javascript_is_nobody() {
        for key in [UserKey::Email, UserKey::Id, object()] {
            for user in ["null", "false", r#""""#] {
                check_read(&key, user, &Err(None));
            }
            assert_eq!(key.read(Members::of("{}").as_ref()), StoredUser::Nobody);
            assert_eq!(key.read(None), StoredUser::Nobody);
        }
    }

    #[test]
    fn an_object_has_one_id_and_no_member_twice() {
        let new = |members: &[(&str, UserField)]| {
            let members = members.iter().map(|(name, field)| ((*name).to_owned(), *field));
            UserObject::new(members.collect()).is_some()
        };
        assert!(new(&[("_id", UserField::Id), ("a", UserField::Name), ("b", UserField::Name)]));
        assert!(!new(&[("email", UserField::Email)]));
        assert!(!new(&[("a", UserField::Id), ("b", UserField::Id)]));
        assert!(!new(&[("a", UserField::Id), ("a", UserField::Name)]));
    }
}
