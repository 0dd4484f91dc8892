//! Every row of the table of sessions looked at, and none altered.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::attributes::Soundness;
use super::record::SessionRecord;
use super::store::SessionTable;
use super::user_key::{Named, StoredUser, UserKey, UserShape};
use super::walk::{PAGE, Passed, Walk};
use crate::accounts::Accounts;
use crate::database::DatabaseError;
use crate::database::layout::Layout;
use crate::database::look::Look;

/// What the rows are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Survey {
    /// Rows that are sessions now.
    pub(crate) live: u64,
    /// Rows past their end.
    pub(crate) expired: u64,
    /// Rows that are no session, by what is wrong with them.
    pub(crate) damaged: BTreeMap<String, u64>,
    /// Live ones that name nobody.
    pub(crate) guests: u64,
    /// Live ones of an account that is there.
    pub(crate) signed_in: u64,
    /// Live ones of an account that is gone.
    pub(crate) gone: u64,
    /// Live ones that name an account in a way that is not read, by what that is.
    pub(crate) unread: BTreeMap<UserShape, u64>,
    /// Live ones whose cookie's attributes Express could not write.
    pub(crate) unsound: u64,
    /// Whether there are more rows than were read.
    pub(crate) is_sample: bool,
}

impl Survey {
    /// How many rows were read.
    pub(crate) fn rows(&self) -> u64 {
        self.live + self.expired + self.damaged.values().sum::<u64>()
    }
}

/// Reads the rows in the order of their ids, page by page, each in a transaction of its own; at
/// most `limit` of them.
pub(crate) async fn survey(
    look: &Look,
    layout: &Layout,
    (accounts, key): (&Accounts, &UserKey),
    limit: Option<u64>,
    now: DateTime<Utc>,
) -> Result<Survey, DatabaseError> {
    let table = SessionTable::new(layout);
    let (mut survey, mut walk) = (Survey::default(), Walk::through(&table, key, now));
    survey.add_nameless(table.count_nameless(&look.begin().await?).await?);
    loop {
        let left = limit.map_or(PAGE, |limit| limit.saturating_sub(survey.rows()));
        let transaction = look.begin().await?;
        if left == 0 {
            survey.is_sample = !walk.next(&transaction, 1).await?.is_empty();
            return Ok(survey);
        }
        let rows = walk.next(&transaction, left.min(PAGE)).await?;
        if rows.is_empty() {
            return Ok(survey);
        }
        let named: Vec<Named> = rows.into_iter().filter_map(|row| survey.add(row)).collect();
        let keys: Vec<_> = named.iter().map(Named::key).collect();
        let found = accounts.find_each(&transaction, &keys).await?;
        for (named, account) in named.iter().zip(found) {
            survey.add_named(named, account.is_some(), accounts);
        }
    }
}

impl Survey {
    /// Rows whose id is no text: no cookie names them.
    fn add_nameless(&mut self, count: u64) {
        if count > 0 {
            self.damaged.insert("the id is not text".to_owned(), count);
        }
    }

    /// Counts a row, and tells whom it names where that is to be looked up.
    fn add(&mut self, row: Passed) -> Option<Named> {
        match row.live {
            Ok(Some(live)) => self.add_live(live.record),
            Ok(None) => {
                self.expired += 1;
                None
            }
            Err(damage) => {
                *self.damaged.entry(damage.to_string()).or_default() += 1;
                None
            }
        }
    }

    fn add_live(&mut self, record: SessionRecord) -> Option<Named> {
        self.live += 1;
        self.unsound += u64::from(record.attributes.soundness == Soundness::Unsound);
        match record.user {
            StoredUser::Nobody => self.guests += 1,
            StoredUser::Foreign(shape) => self.add_unread(shape),
            StoredUser::Named(named) => return Some(named),
        }
        None
    }

    fn add_named(&mut self, named: &Named, is_there: bool, accounts: &Accounts) {
        if is_there {
            self.signed_in += 1;
        } else if let Some(shape) = named.shape_without(accounts) {
            self.add_unread(shape);
        } else {
            self.gone += 1;
        }
    }

    fn add_unread(&mut self, shape: UserShape) {
        *self.unread.entry(shape).or_default() += 1;
    }
}
