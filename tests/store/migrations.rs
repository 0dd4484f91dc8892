//! Sequelize's tables, adopted and given back.

use nextbnb_migrations::{Applied, TableNames};
use nextbnb_tests::database::TestDatabase;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr};

use crate::site::{Site, connect};

const NAMES: [&str; 3] = ["m0001_sequelize_tables", "m0002_names_and_indexes", "m0003_change_feed"];

/// What connect-session-sequelize 5 and the author's own hand made.
const OLD_TABLES: &str = r#"
    CREATE TABLE "Sessions" ("sid" VARCHAR(32) PRIMARY KEY, "expires" TIMESTAMP WITH TIME ZONE,
        "data" TEXT, "createdAt" TIMESTAMP WITH TIME ZONE NOT NULL,
        "updatedAt" TIMESTAMP WITH TIME ZONE NOT NULL);
    CREATE TABLE "users" ("id" INTEGER PRIMARY KEY, "email" VARCHAR(255) NOT NULL,
        "password" VARCHAR(255) NOT NULL, "plan" TEXT DEFAULT 'free');
    INSERT INTO "Sessions" VALUES ('s', NULL, '{"x":1}', '2026-01-01 00:00:00.000 +00:00',
        '2026-01-01 00:00:00.000 +00:00');
    INSERT INTO "users" ("id", "email", "password") VALUES (7, 'a@b.c', 'h')"#;

async fn migrate(connection: &DatabaseConnection) -> Result<Applied, DbErr> {
    nextbnb_migrations::migrate(connection, &TableNames::default()).await
}

async fn revert(connection: &DatabaseConnection) -> Result<(), DbErr> {
    nextbnb_migrations::revert(connection, &TableNames::default()).await
}

async fn columns(test: &TestDatabase, table: &str) -> Vec<String> {
    let query = if test.is_postgres() {
        format!(
            "SELECT column_name::text || ' ' || data_type || coalesce('(' || \
             character_maximum_length || ')', '') || ' ' || is_nullable \
             FROM information_schema.columns WHERE table_name = '{table}' ORDER BY ordinal_position"
        )
    } else {
        format!(
            "SELECT name || ' ' || type || ' ' || CASE WHEN \"notnull\" THEN 'NO' ELSE 'YES' END \
             FROM pragma_table_info('{table}') ORDER BY cid"
        )
    };
    test.texts(&query).await
}

async fn indexes(test: &TestDatabase) -> Vec<String> {
    let query = if test.is_postgres() {
        "SELECT indexname::text AS name FROM pg_indexes WHERE indexname LIKE 'nextbnb_%' \
         AND tablename <> 'nextbnb_migrations' ORDER BY name"
    } else {
        "SELECT name FROM sqlite_master WHERE type = 'index' AND name LIKE 'nextbnb_%' ORDER BY name"
    };
    test.texts(query).await
}

async fn new_tables_are_those_of_sequelize(test: TestDatabase) {
    let applied = migrate(test.connection()).await.unwrap();
    assert_eq!(applied.names, NAMES);
    assert_eq!(applied.notes, Vec::<String>::new());
    let time = if test.is_postgres() { "timestamp with time zone" } else { "DATETIME" };
    let long = if test.is_postgres() { "text" } else { "TEXT" };
    let varchar = if test.is_postgres() { "character varying" } else { "VARCHAR" };
    // A primary key is not null on Postgres by itself, on SQLite only when told.
    let key = if test.is_postgres() { "NO" } else { "YES" };
    let integer = if test.is_postgres() { "integer" } else { "INTEGER" };
    let sessions = [
        format!("sid {varchar}(36) {key}"),
        format!("expires {time} YES"),
        format!("data {long} YES"),
        format!("createdAt {time} NO"),
        format!("updatedAt {time} NO"),
    ];
    let users = [
        format!("id {integer} {key}"),
        format!("email {varchar}(255) NO"),
        format!("password {varchar}(255) NO"),
        format!("name {long} YES"),
    ];
    assert_eq!(columns(&test, "Sessions").await, sessions);
    assert_eq!(columns(&test, "users").await, users);
    let indexes = indexes(&test).await;
    assert_eq!(indexes, ["nextbnb_sessions_expires", "nextbnb_users_email_case"]);
}

async fn old_tables_are_adopted_with_their_rows(test: TestDatabase) {
    test.run(OLD_TABLES).await;
    let applied = migrate(test.connection()).await.unwrap();
    assert_eq!(applied.names, NAMES);
    let columns = columns(&test, "Sessions").await;
    assert!(columns[0].contains("(32)"), "{columns:?}");
    assert_eq!(test.texts(r#"SELECT "data" FROM "Sessions""#).await, [r#"{"x":1}"#]);
    let users = r#"SELECT "email" || "plan" || coalesce("name", '-') FROM "users""#;
    assert_eq!(test.texts(users).await, ["a@b.cfree-"]);
}

async fn an_address_becomes_unique_where_it_is(test: TestDatabase) {
    test.run(OLD_TABLES).await;
    let applied = migrate(test.connection()).await.unwrap();
    assert_eq!(applied.notes, Vec::<String>::new());
    assert!(indexes(&test).await.contains(&"nextbnb_users_email".to_owned()));
}

async fn doubled_addresses_are_kept_and_told_at_every_start(test: TestDatabase) {
    test.run(OLD_TABLES).await;
    test.run(r#"INSERT INTO "users" ("id", "email", "password") VALUES (8, 'a@b.c', 'i')"#).await;
    for names in [NAMES.to_vec(), Vec::new()] {
        let applied = migrate(test.connection()).await.unwrap();
        assert_eq!(applied.names, names);
        assert_eq!(applied.notes.len(), 1);
        assert!(applied.notes[0].contains("more than one account: 1;"), "{:?}", applied.notes);
    }
    assert!(!indexes(&test).await.contains(&"nextbnb_users_email".to_owned()));
    assert_eq!(test.texts(r#"SELECT "password" FROM "users" ORDER BY "id""#).await, ["h", "i"]);
}

async fn taking_back_keeps_every_table_column_and_row(test: TestDatabase) {
    test.run(OLD_TABLES).await;
    migrate(test.connection()).await.unwrap();
    test.run(r#"UPDATE "users" SET "name" = 'Ada'"#).await;
    revert(test.connection()).await.unwrap();
    assert_eq!(indexes(&test).await, Vec::<String>::new());
    let users = r#"SELECT "email" || "name" FROM "users""#;
    assert_eq!(test.texts(users).await, ["a@b.cAda"]);
    assert_eq!(test.texts(r#"SELECT "sid" FROM "Sessions""#).await, ["s"]);

    assert_eq!(migrate(test.connection()).await.unwrap().names, NAMES);
    assert_eq!(test.texts(users).await, ["a@b.cAda"]);
    assert_eq!(indexes(&test).await.len(), 3);
}

/// Somebody goes back to this release.
async fn migrations_of_a_newer_release_are_told_and_left_alone(test: TestDatabase) {
    let site = Site::open(test).await;
    site.test.run(r#"INSERT INTO "nextbnb_migrations" VALUES ('m9999_more', 0)"#).await;
    let applied = site.database.migrate(&TableNames::default()).await.unwrap();
    assert_eq!(applied.names, Vec::<String>::new());
    assert!(applied.notes[0].ends_with(": m9999_more"), "{:?}", applied.notes);
    assert_eq!(site.register("ada@example.com").await.status, 200);

    let refused = revert(site.test.connection()).await.unwrap_err().to_string();
    assert!(refused.contains("m9999_more is of a newer release"), "{refused}");
    assert_eq!(indexes(&site.test).await.len(), 2, "nothing was taken back");
    let versions = r#"SELECT "version" FROM "nextbnb_migrations" ORDER BY 1"#;
    assert_eq!(site.test.texts(versions).await, [&NAMES[..], &["m9999_more"]].concat());
}

async fn replicas_that_start_at_once_migrate_once(test: TestDatabase) {
    let (one, two, three) = tokio::join!(connect(&test), connect(&test), connect(&test));
    let names = TableNames::default();
    let (one, two, three) =
        tokio::join!(one.migrate(&names), two.migrate(&names), three.migrate(&names));
    let mut names = [one.unwrap().names, two.unwrap().names, three.unwrap().names].concat();
    names.sort();
    assert_eq!(names, NAMES);
}

async fn what_tables_lack_is_told(test: TestDatabase) {
    let (database, names) = (connect(&test).await, TableNames::default());
    let told = async || nextbnb_gateway::error::chain(&database.check(&names).await.unwrap_err());
    let missing = if test.is_postgres() { "does not exist" } else { "no such" };
    let error = told().await;
    assert!(error.contains("Sessions") && error.contains(missing), "{error}");
    test.run(OLD_TABLES).await;
    database.check(&names).await.expect("complete, but for the name");
    assert!(!columns(&test, "users").await.iter().any(|column| column.starts_with("name ")));
    test.run(r#"ALTER TABLE "users" DROP COLUMN "password""#).await;
    let error = told().await;
    assert!(error.contains("password") && error.contains(missing), "{error}");
}

on_both_databases! {
    what_tables_lack_is_told
    new_tables_are_those_of_sequelize
    old_tables_are_adopted_with_their_rows
    an_address_becomes_unique_where_it_is
    doubled_addresses_are_kept_and_told_at_every_start
    taking_back_keeps_every_table_column_and_row
    migrations_of_a_newer_release_are_told_and_left_alone
    replicas_that_start_at_once_migrate_once
}

#[tokio::test]
async fn a_complete_schema_needs_no_right_to_create_tables() {
    let test = TestDatabase::postgres().await;
    migrate(test.connection()).await.unwrap();
    test.run(
        "DROP ROLE IF EXISTS nextbnb_reader; CREATE ROLE nextbnb_reader;
        REVOKE CREATE ON SCHEMA public FROM PUBLIC;
        GRANT SELECT ON ALL TABLES IN SCHEMA public TO nextbnb_reader",
    )
    .await;
    let url = format!("{}&options=-c%20role%3Dnextbnb_reader", test.url());
    let reader = sea_orm::Database::connect(&url).await.unwrap();
    assert!(reader.execute_unprepared("CREATE TABLE t ()").await.is_err(), "no such right");
    let applied = migrate(&reader).await;
    reader.close().await.unwrap();
    test.run("DROP OWNED BY nextbnb_reader; DROP ROLE nextbnb_reader").await;
    assert_eq!(applied.unwrap().names, Vec::<String>::new());
}
