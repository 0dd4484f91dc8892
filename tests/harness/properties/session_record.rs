//! A row written anew differs in what it was written for, and in nothing else.

use chrono::{DateTime, Utc};
use nextbnb_gateway::session::record::SessionRecord;
use nextbnb_gateway::session::user_key::{StoredUser, UserField, UserKey, UserObject};
use serde_json::Value;

const OLD: &str = "2026-12-23T09:15:16.146Z";
const NEW: &str = "2027-01-01T00:00:00.000Z";

/// `bytes` are a row's text.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let object = UserObject::new(vec![("id".to_owned(), UserField::Id)]).unwrap();
    for key in [UserKey::Email, UserKey::Id, UserKey::Object(object)] {
        if let Ok(record) = SessionRecord::read(text.to_owned(), &key) {
            assert_eq!(record.text(), text);
            check_renewal(text, &record, &key);
            check_sign_out(text, &record, &key);
        }
    }
}

fn check_renewal(text: &str, record: &SessionRecord, key: &UserKey) {
    let Some(renewed) = record.renewed(moment(NEW)) else {
        // There is no end to move.
        let end = whole(text).and_then(|row| row["cookie"].get("expires").cloned());
        return assert_eq!(end, None, "{text}");
    };
    // Every byte but the moment's, in one place.
    let other = record.renewed(moment(OLD)).unwrap();
    let start = renewed.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
    let place = start - "202".len();
    let (before, after) = (&renewed[..place], &renewed[place + NEW.len()..]);
    assert_eq!(other, format!("{before}{OLD}{after}"));
    assert_eq!(&renewed[place..place + NEW.len()], NEW);
    let (before, after) = (before.strip_suffix('"').unwrap(), after.strip_prefix('"').unwrap());
    assert!(text.starts_with(before) && text.ends_with(after), "{text} became {renewed}");

    let again = SessionRecord::read(renewed.clone(), key).unwrap();
    assert_eq!(again.user, record.user, "{text}");
    assert_eq!(again.renewed(moment(NEW)).as_ref(), Some(&renewed), "{text}");
    if let (Some(mut old), Some(new)) = (whole(text), whole(&renewed)) {
        old["cookie"]["expires"] = NEW.into();
        assert_eq!(old, new, "{text}");
    }
}

fn check_sign_out(text: &str, record: &SessionRecord, key: &UserKey) {
    let Some(out) = record.signed_out(None) else { return };
    let again = SessionRecord::read(out.clone(), key).unwrap();
    assert_eq!(again.user, StoredUser::Nobody, "{out}");
    assert_eq!(again.renewed(moment(NEW)).is_some(), record.renewed(moment(NEW)).is_some());
    if let (Some(mut old), Some(new)) = (whole(text), whole(&out)) {
        old["passport"].as_object_mut().unwrap().remove("user");
        assert_eq!(old, new, "{text}");
    }
}

/// What serde reads, where it can: not a lone surrogate, and no number without end.
fn whole(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok()
}

fn moment(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}
