//! Accounts that an operator makes and alters, by the rules that visitors' registrations keep.

use chrono::{DateTime, Utc};

use super::credentials::{Password, PasswordPolicy, Registration, plain_name};
use super::passwords::Passwords;
use super::refusal::{Fault, Refusal};
use super::rules;
use crate::accounts::Accounts;
use crate::accounts::account::Account;
use crate::accounts::insert::NewAccount;
use crate::database::Database;
use crate::database::locks::past_locks;
use crate::error::PeopleError;

/// What accounts must be like.
#[derive(Debug, Clone, Copy)]
pub struct AccountRules {
    /// What registration wants (`--password-policy`).
    pub policy: PasswordPolicy,
    /// The least that a hash costs, where that is said (`--rehash-cost`).
    pub cost: Option<u32>,
}

impl AccountRules {
    /// Whether an address and a name will do, before a password is asked for.
    pub(crate) fn check_who(self, email: &str, name: Option<&str>) -> Result<(), PeopleError> {
        let checked = self.policy.check_email(email).and_then(|()| plain_name(name));
        checked.map(drop).map_err(|refusal| told(refusal, email))
    }

    /// Makes an account; nobody is signed in.
    pub(crate) async fn add(
        self,
        (database, accounts): (&Database, &Accounts),
        (email, name): (&str, Option<&str>),
        password: &str,
        now: DateTime<Utc>,
    ) -> Result<Account, PeopleError> {
        let adding = async {
            let checked = Registration::checked(self.policy, email.to_owned(), password, name)?;
            let Registration { email, password, name } = checked;
            let hash = self.hash(database, accounts, password).await?;
            let new = NewAccount { email: &email, password_hash: &hash, name: name.as_deref() };
            let inserting = async || {
                let transaction = database.begin_write().await?;
                let account = accounts.insert(&transaction, new, now).await?;
                transaction.commit().await?;
                Ok::<_, Refusal>(account)
            };
            past_locks(inserting).await
        };
        adding.await.map_err(|refusal| told(refusal, email))
    }

    /// Gives an account another password; its sessions go on.
    pub(crate) async fn set_password(
        self,
        (database, accounts): (&Database, &Accounts),
        account: &Account,
        password: &str,
    ) -> Result<(), PeopleError> {
        let setting = async {
            self.policy.check_password(password)?;
            let hash = self.hash(database, accounts, Password(password.to_owned())).await?;
            let writing = || accounts.set_hash(database.connection(), account, &hash);
            if past_locks(writing).await? { Ok(()) } else { Err(Refusal::NoAccount) }
        };
        setting.await.map_err(|refusal| told(refusal, &account.email))
    }

    async fn hash(
        self,
        database: &Database,
        accounts: &Accounts,
        password: Password,
    ) -> Result<String, Refusal> {
        let passwords = Passwords::of_site(1, database, accounts).await;
        passwords.turn().await?.hash(password, self.cost).await
    }
}

/// A refusal in the operator's words.
fn told(refusal: Refusal, email: &str) -> PeopleError {
    let email = email.to_owned();
    match refusal {
        Refusal::Invalid(Fault::Rule(words)) => PeopleError::Rule { wanted: rules::wanted(words) },
        Refusal::Taken => PeopleError::Taken { email },
        Refusal::NoAccount => PeopleError::NoAccount { email },
        Refusal::Unfilled(columns) => PeopleError::Unfilled { columns },
        Refusal::Database(error) => PeopleError::Database { source: error.into() },
        other => PeopleError::Database { source: other.into() },
    }
}
