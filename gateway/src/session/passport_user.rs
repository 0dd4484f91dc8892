//! `passport.user` of a session that begins.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

use super::user_key::{UserField, UserKey};
use crate::accounts::account::Account;

/// An account as `serializeUser` writes it.
pub(super) struct PassportUser<'a> {
    pub(super) key: &'a UserKey,
    pub(super) account: &'a Account,
}

impl PassportUser<'_> {
    fn value(&self, field: UserField) -> Value {
        let Account { id, email, name, .. } = self.account;
        match field {
            UserField::Id => id.to_javascript(),
            UserField::Email => email.as_str().into(),
            UserField::Name => name.as_deref().into(),
        }
    }
}

impl Serialize for PassportUser<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let object = match self.key {
            UserKey::Email => return self.value(UserField::Email).serialize(serializer),
            UserKey::Id => return self.value(UserField::Id).serialize(serializer),
            UserKey::Object(object) => object,
        };
        let mut map = serializer.serialize_map(Some(object.0.len()))?;
        for (name, field) in &object.0 {
            map.serialize_entry(name, &self.value(*field))?;
        }
        map.end()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::entity::user_id::UserId;
    use crate::session::user_key::tests::object;

    pub(in crate::session) fn ada(id: UserId) -> Account {
        let email = "a@b.c".to_owned();
        Account { id, email, name: Some("Ada".to_owned()), password_hash: None }
    }

    #[track_caller]
    fn check_write(key: &UserKey, id: UserId, expected: &str) {
        assert_eq!(
            serde_json::to_string(&PassportUser { key, account: &ada(id) }).unwrap(),
            expected
        );
    }

    #[test]
    fn an_account_is_written_as_serialize_user_does() {
        let uuid = || UserId::Text("f81d4fae-7dec-41d0-a765-00a0c91e6bf6".to_owned());
        check_write(&UserKey::Email, UserId::Number(5), r#""a@b.c""#);
        check_write(&UserKey::Id, UserId::Number(5), "5");
        check_write(&UserKey::Id, UserId::Big(5), r#""5""#);
        check_write(&UserKey::Id, uuid(), r#""f81d4fae-7dec-41d0-a765-00a0c91e6bf6""#);
        check_write(&object(), UserId::Number(5), r#"{"id":5,"username":"a@b.c"}"#);
    }
}
