//! Accounts in columns that a site gave names of its own.

use http::StatusCode;
use nextbnb_gateway::database::look::Look;
use nextbnb_gateway::database::tables::TableChoice;
use nextbnb_gateway::database::{DatabaseLimits, DatabaseTarget};
use nextbnb_migrations::{TableNames, UserColumns, migrate};
use nextbnb_tests::database::TestDatabase;
use sea_orm::ConnectionTrait;
use serde_json::json;

use crate::site::{PASSWORD, Site, connect};

const ADA: &str = "ada@example.com";

/// Node's bcrypt of `pw`.
const HASH: &str = "$2b$10$bsEj3iWiUAC607D2MGlcy.Dr1wnUPx2ayJNxxU/uBGfgVnjg83WN2";

fn names() -> TableNames {
    let [id, email, password, name] =
        ["user_id", "mail \"address\"", "passwordHash", "full_name"].map(str::to_owned);
    TableNames { user_columns: UserColumns { id, email, password, name }, ..TableNames::default() }
}

/// The site's own table, its addresses not unique.
async fn with_table(test: &TestDatabase, emails: &[&str]) {
    let id = if test.is_postgres() { "SERIAL" } else { "INTEGER" };
    test.run(&format!(
        r#"CREATE TABLE "users" ("user_id" {id} PRIMARY KEY, "mail ""address""" VARCHAR(255),
            "passwordHash" VARCHAR(255), "full_name" TEXT)"#
    ))
    .await;
    for email in emails {
        test.run(&format!(
            r#"INSERT INTO "users" ("mail ""address""", "passwordHash", "full_name")
                VALUES ('{email}', '{HASH}', 'Ada L.')"#
        ))
        .await;
    }
}

async fn indexes(test: &TestDatabase) -> Vec<String> {
    let query = if test.is_postgres() {
        "SELECT indexdef::text FROM pg_indexes WHERE indexname LIKE 'nextbnb_users%'"
    } else {
        "SELECT sql FROM sqlite_master WHERE type = 'index' AND name LIKE 'nextbnb_users%'"
    };
    test.texts(query).await
}

async fn register(site: &Site, email: &str) -> crate::answer::Answer {
    let fields = json!({"email": email, "password": PASSWORD, "passwordconfirmation": PASSWORD,
        "name": "Bob B."});
    site.post("/api/auth/register", &[], &fields).await
}

async fn accounts_are_read_and_made_by_the_names_of_the_site(test: TestDatabase) {
    with_table(&test, &[ADA]).await;
    let site = Site::open_named(test, &names()).await;
    let ada = site.log_in(ADA, "pw", &[]).await.cookie();
    let session = site.visit(&[&ada]).await.unwrap();
    assert_eq!(session.identity().unwrap().name.as_deref(), Some("Ada L."));
    let bob = register(&site, "bob@example.com").await.cookie();
    assert_eq!(site.user(&[&bob]).await.as_deref(), Some("bob@example.com"));
    let query = r#"SELECT "full_name" FROM "users" ORDER BY "user_id""#;
    assert_eq!(site.test.texts(query).await, ["Ada L.", "Bob B."]);
    assert_eq!(register(&site, ADA).await.status, StatusCode::CONFLICT);
    assert_eq!(register(&site, "ADA@EXAMPLE.COM").await.status, StatusCode::CONFLICT);
}

async fn the_indexes_are_on_the_address_of_the_site_and_no_name_is_added(test: TestDatabase) {
    with_table(&test, &[ADA]).await;
    for _ in 0..2 {
        let applied = migrate(test.connection(), &names()).await.unwrap();
        assert_eq!(applied.notes, Vec::<String>::new(), "the address is known to be unique");
    }
    let indexes = indexes(&test).await;
    assert_eq!(indexes.len(), 2, "one for spellings, one unique: {indexes:?}");
    assert!(indexes.iter().all(|index| index.contains(r#"mail ""address"""#)), "{indexes:?}");
    let added = test.connection().execute_unprepared(r#"SELECT "users"."name" FROM "users""#).await;
    assert!(added.is_err(), "no such column");
    let layout = connect(&test).await.layout(&TableNames::default()).await;
    let told = layout.unwrap_err().to_string();
    assert!(told.contains(r#"no column "id""#) && told.contains("--users-column id="), "{told}");
}

async fn of_doubled_addresses_the_lowest_id_signs_in_and_one_registration_wins(test: TestDatabase) {
    with_table(&test, &["twin@b.c", "twin@b.c"]).await;
    let notes = migrate(test.connection(), &names()).await.unwrap().notes;
    assert!(notes[0].starts_with(r#"users.mail "address" is not unique"#), "{notes:?}");
    assert!(notes[0].ends_with("the one with the lowest user_id"), "{notes:?}");
    let site = Site::open_named(test, &names()).await;
    assert_eq!(indexes(&site.test).await.len(), 1, "no unique index over doubled addresses");
    let cookie = site.log_in("twin@b.c", "pw", &[]).await.cookie();
    let session = site.visit(&[&cookie]).await.unwrap();
    assert_eq!(session.identity().unwrap().id.to_string(), "1");
    let (one, two) = tokio::join!(register(&site, "new@b.c"), register(&site, "NEW@b.c"));
    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    let made = r#"SELECT "passwordHash" FROM "users" WHERE lower("mail ""address""") = 'new@b.c'"#;
    assert_eq!(site.test.texts(made).await.len(), 1);
}

async fn a_new_table_has_the_names_of_the_site(test: TestDatabase) {
    let site = Site::open_named(test, &names()).await;
    let cookie = register(&site, ADA).await.cookie();
    let session = site.visit(&[&cookie]).await.unwrap();
    assert_eq!(session.identity().unwrap().name.as_deref(), Some("Bob B."));
    assert_eq!(register(&site, ADA).await.status, StatusCode::CONFLICT);
}

async fn tables_are_found_by_the_names_of_the_site(test: TestDatabase) {
    with_table(&test, &[]).await;
    test.run(r#"ALTER TABLE "users" RENAME TO "user""#).await;
    let database = connect(&test).await;
    let choice = TableChoice { user_columns: names().user_columns, ..TableChoice::default() };
    assert_eq!(database.find_tables(&choice).await.unwrap().users, "user");
    let by_default = database.find_tables(&TableChoice::default()).await.unwrap();
    assert_eq!(by_default.users, "users", "to be made");
}

async fn a_column_of_the_site_that_is_not_there_is_told(test: TestDatabase) {
    with_table(&test, &[]).await;
    let mut names = names();
    "fullname".clone_into(&mut names.user_columns.name);
    let database = connect(&test).await;
    database.migrate(&names).await.unwrap();
    let told = database.layout(&names).await.unwrap_err().to_string();
    let expected =
        r#"the table "users" has no column "fullname": say which with --users-column name=NAME"#;
    assert_eq!(told, expected);
}

async fn a_column_that_the_site_calls_otherwise_is_asked_for_before_anything_is_altered(
    test: TestDatabase,
) {
    with_table(&test, &[]).await;
    let mut names = names();
    "email".clone_into(&mut names.user_columns.email);
    let told = connect(&test).await.migrate(&names).await.unwrap_err().to_string();
    let expected =
        r#"the table "users" has no column "email": say which with --users-column email=NAME"#;
    assert_eq!(told, expected);
    let target = DatabaseTarget::Url(test.url().to_owned());
    let look = Look::open(&target, &DatabaseLimits::default()).await.unwrap();
    let planned = look.plan(&TableChoice::default()).await.unwrap_err().to_string();
    assert!(planned.contains("say which with --users-column id=NAME"), "{planned}");
    assert!(indexes(&test).await.is_empty());
}

/// As with `--no-migrate`, for a role that may not alter the table.
async fn without_a_column_for_names_people_have_none(test: TestDatabase) {
    migrate(test.connection(), &TableNames::default()).await.unwrap();
    test.run(r#"ALTER TABLE "users" DROP COLUMN "name""#).await;
    let site = Site::open_unmigrated(test, &TableNames::default(), |_, _| {}).await;
    let cookie = register(&site, ADA).await.cookie();
    let again = site.log_in(ADA, PASSWORD, &[&cookie]).await.cookie();
    let session = site.visit(&[&again]).await.unwrap();
    assert_eq!(session.identity().unwrap().name, None);
}

on_both_databases! {
    accounts_are_read_and_made_by_the_names_of_the_site
    the_indexes_are_on_the_address_of_the_site_and_no_name_is_added
    of_doubled_addresses_the_lowest_id_signs_in_and_one_registration_wins
    a_new_table_has_the_names_of_the_site
    tables_are_found_by_the_names_of_the_site
    a_column_of_the_site_that_is_not_there_is_told
    a_column_that_the_site_calls_otherwise_is_asked_for_before_anything_is_altered
    without_a_column_for_names_people_have_none
}
