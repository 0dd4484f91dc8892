//! `migrate --print`: what an owner runs leaves what `migrate` leaves.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use http::StatusCode;
use nextbnb_gateway::database::look::Look;
use nextbnb_gateway::database::tables::TableChoice;
use nextbnb_gateway::database::{Database, DatabaseLimits, DatabaseTarget};
use nextbnb_gateway::error::chain;
use nextbnb_migrations::{TableNames, UserColumns};
use nextbnb_tests::database::TestDatabase;
use nextbnb_tests::next::{Group, free_address};
use nextbnb_tests::postgres::program;
use nextbnb_tests::visitor::Visitor;
use serde_json::json;
use tokio::runtime::Handle;

use crate::examined::HASH;
use crate::program::{listens, serve};
use crate::site::connect;

/// As `sync()` of Sequelize makes them with `timestamps: true`; the address is not unique.
const SEQUELIZE: &str = r#"
    CREATE TABLE "Session" ("sid" VARCHAR(36) PRIMARY KEY, "expires" TIMESTAMP WITH TIME ZONE,
        "data" TEXT, "createdAt" TIMESTAMP WITH TIME ZONE NOT NULL,
        "updatedAt" TIMESTAMP WITH TIME ZONE NOT NULL);
    CREATE TABLE "Users" ("id" INTEGER PRIMARY KEY, "email" VARCHAR(255),
        "password" VARCHAR(255), "createdAt" TIMESTAMP WITH TIME ZONE NOT NULL);
    INSERT INTO "Users" VALUES (1, 'a@b.c', 'h', '2026-01-01 00:00:00+00')"#;

const DOUBLED: &str = r#"INSERT INTO "Users" VALUES (2, 'a@b.c', 'h', '2026-01-01 00:00:00+00')"#;

/// What the first migration made, in a release that had no second one.
const AN_OLDER_RELEASE: &str = r#"
    DROP INDEX "nextbnb_sessions_expires"; DROP INDEX "nextbnb_users_email_case";
    ALTER TABLE "users" DROP COLUMN "name";
    DELETE FROM "nextbnb_migrations" WHERE "version" > 'm0001_sequelize_tables'"#;

async fn print(test: &TestDatabase) -> String {
    let target = DatabaseTarget::Url(test.url().to_owned());
    let look = Look::open(&target, &DatabaseLimits::default()).await.unwrap();
    let plan = look.plan(&TableChoice::default()).await.unwrap();
    look.close().await.unwrap();
    plan.to_string()
}

/// Has the database's own shell run it.
fn run(test: &TestDatabase, sql: &str) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("migrate.sql");
    fs::write(&file, sql).unwrap();
    let mut shell = if test.is_postgres() {
        let mut psql = Command::new(program("psql"));
        psql.args(["-X", "-q", "-1", "-v", "ON_ERROR_STOP=1", "-f"]).arg(&file).arg(test.url());
        psql
    } else {
        let mut sqlite = Command::new("sqlite3");
        sqlite.arg("-bail").arg(test.path()).stdin(fs::File::open(&file).unwrap());
        sqlite
    };
    let output = shell.output().unwrap();
    assert!(output.status.success(), "{sql}\n{}", String::from_utf8_lossy(&output.stderr));
}

/// What `pg_dump` writes, but for the random word that newer ones mark it with.
pub(crate) fn dump(test: &TestDatabase, arguments: &[&str]) -> String {
    let output = Command::new(program("pg_dump")).args(arguments).arg(test.url()).output().unwrap();
    let dump = String::from_utf8(output.stdout).unwrap();
    dump.lines().filter(|line| !line.contains("restrict")).collect::<Vec<_>>().join("\n")
}

/// Every table, column, index and default, and the migrations that count as applied.
async fn schema(test: &TestDatabase) -> (String, Vec<String>) {
    let schema = if test.is_postgres() {
        dump(test, &["--schema-only"])
    } else {
        let query = "SELECT coalesce(sql, name) FROM sqlite_schema ORDER BY name";
        test.texts(query).await.join("\n")
    };
    assert!(schema.contains("nextbnb_sessions_expires"), "{schema}");
    let ours = if test.is_postgres() {
        "SELECT tablename::text FROM pg_tables WHERE tablename LIKE 'nextbnb_migrations%'"
    } else {
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'nextbnb_migrations%'"
    };
    let [table] = &test.texts(ours).await[..] else { panic!("one table tells what was applied") };
    (schema, test.texts(&format!(r#"SELECT "version" FROM "{table}" ORDER BY 1"#)).await)
}

async fn another(test: &TestDatabase) -> TestDatabase {
    if test.is_postgres() { TestDatabase::postgres().await } else { TestDatabase::sqlite().await }
}

/// Printed and run by the owner on one database, migrated on its twin.
async fn check_alike(printed: &TestDatabase, migrated: &TestDatabase) -> String {
    let sql = print(printed).await;
    assert_eq!(sql, print(printed).await, "printing alters nothing");
    run(printed, &sql);
    let database = connect(migrated).await;
    let names = database.find_tables(&TableChoice::default()).await.unwrap();
    database.migrate(&names).await.unwrap();
    assert_eq!(schema(printed).await, schema(migrated).await);

    let database = connect(printed).await;
    database.check(&names).await.unwrap();
    let applied = database.migrate(&names).await.unwrap();
    assert_eq!(applied.names, Vec::<String>::new(), "the gateway knows what was applied");
    let nothing = print(printed).await;
    assert!(nothing.contains("nothing is pending"), "{nothing}");
    assert!(nothing.lines().all(|line| line.starts_with("-- ")), "{nothing}");
    sql
}

async fn printed_sql_makes_an_empty_database_what_migrate_makes_it(test: TestDatabase) {
    let twin = another(&test).await;
    check_alike(&test, &twin).await;
}

async fn printed_sql_makes_of_sequelizes_tables_what_migrate_makes_of_them(test: TestDatabase) {
    let twin = another(&test).await;
    for database in [&test, &twin] {
        database.run(SEQUELIZE).await;
    }
    let sql = check_alike(&test, &twin).await;
    assert!(sql.contains(r#"ON "Users" ("email")"#), "{sql}");
}

async fn printed_sql_leaves_doubled_addresses_as_migrate_does(test: TestDatabase) {
    let twin = another(&test).await;
    for database in [&test, &twin] {
        database.run(SEQUELIZE).await;
        database.run(DOUBLED).await;
    }
    let sql = check_alike(&test, &twin).await;
    assert!(!sql.contains(r#"ON "Users" ("email")"#), "{sql}");
}

async fn printed_sql_holds_only_what_an_older_release_lacked(test: TestDatabase) {
    let twin = another(&test).await;
    for database in [&test, &twin] {
        connect(database).await.migrate(&TableNames::default()).await.unwrap();
        database.run(AN_OLDER_RELEASE).await;
    }
    let sql = check_alike(&test, &twin).await;
    assert!(!sql.contains("m0001") && sql.contains("m0002"), "{sql}");
}

async fn no_name_of_a_table_or_column_becomes_a_statement(test: TestDatabase) {
    let twin = another(&test).await;
    let [id, email, password, name] =
        ["i d", "e\");\nDROP TABLE \"x\";--'", "p$1", "n"].map(str::to_owned);
    let tables = TableNames {
        sessions: "s\nDROP TABLE \"x\";--'".to_owned(),
        users: "u$1".to_owned(),
        user_columns: UserColumns { id, email, password, name },
    };
    let choice = TableChoice {
        sessions: Some(tables.sessions.clone()),
        users: Some(tables.users.clone()),
        user_columns: tables.user_columns.clone(),
    };
    test.run("CREATE TABLE x (y INTEGER)").await;
    let target = DatabaseTarget::Url(test.url().to_owned());
    let look = Look::open(&target, &DatabaseLimits::default()).await.unwrap();
    run(&test, &look.plan(&choice).await.unwrap().to_string());
    look.close().await.unwrap();
    test.run("DROP TABLE x").await;
    connect(&twin).await.migrate(&tables).await.unwrap();
    connect(&test).await.check(&tables).await.unwrap();
    assert_eq!(schema(&test).await, schema(&twin).await);
}

on_both_databases! {
    printed_sql_makes_an_empty_database_what_migrate_makes_it
    printed_sql_makes_of_sequelizes_tables_what_migrate_makes_of_them
    printed_sql_leaves_doubled_addresses_as_migrate_does
    printed_sql_holds_only_what_an_older_release_lacked
    no_name_of_a_table_or_column_becomes_a_statement
}

#[tokio::test]
async fn a_role_that_may_not_is_told_of_the_print_and_starts_once_the_owner_ran_it() {
    let test = TestDatabase::postgres().await;
    test.run(SEQUELIZE).await;
    let role = format!("{}_role", test.name());
    test.run(&format!(
        r#"CREATE ROLE "{role}"; REVOKE CREATE ON SCHEMA public FROM PUBLIC;
        GRANT USAGE ON SCHEMA public TO "{role}""#
    ))
    .await;
    let url = format!("{}&options=-c%20role%3D{role}", test.url());
    let open = async || {
        let target = DatabaseTarget::Url(url.clone());
        Database::connect(&target, &DatabaseLimits::default(), Handle::current()).await.unwrap()
    };
    let names = TableNames {
        sessions: "Session".to_owned(),
        users: "Users".to_owned(),
        ..TableNames::default()
    };
    let refused = chain(&open().await.migrate(&names).await.unwrap_err());
    assert!(!refused.contains(" at line "), "{refused}");
    assert!(refused.contains("`migrate --print`"), "{refused}");
    let refused = chain(&open().await.check(&names).await.unwrap_err());
    assert!(refused.contains("`migrate --print`"), "{refused}");

    test.run(&format!(r#"GRANT SELECT ON ALL TABLES IN SCHEMA public TO "{role}""#)).await;
    let target = DatabaseTarget::Url(url.clone());
    let look = Look::open(&target, &DatabaseLimits::default()).await.unwrap();
    let sql = look.plan(&TableChoice::default()).await.unwrap().to_string();
    look.close().await.unwrap();
    let grants = sql.lines().filter_map(|line| line.strip_prefix("-- GRANT"));
    let grants: Vec<_> = grants.map(|grant| format!("GRANT{grant}")).collect();
    assert_eq!(grants.len(), 4, "{sql}");
    run(&test, &sql);
    run(&test, &grants.join("\n"));
    let database = open().await;
    database.check(&names).await.unwrap();
    assert_eq!(database.migrate(&names).await.unwrap().names, Vec::<String>::new());
    database.close().await.unwrap();
    test.run(&format!(r#"UPDATE "Users" SET "password" = '{HASH}'"#)).await;
    for flags in [&[][..], &["--no-migrate"]] {
        check_serves(&url, flags).await;
    }
    test.run(&format!(r#"DROP OWNED BY "{role}"; DROP ROLE "{role}""#)).await;
}

/// The program itself, as that role, signs somebody in.
async fn check_serves(url: &str, flags: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let address = free_address();
    let mut serve = serve(url, folder.path(), address);
    let _group = Group::spawn(serve.args(flags).stderr(Stdio::null()));
    listens(address).await;
    let visitor = Visitor::new(address);
    let who = json!({"email": "a@b.c", "password": "pw"});
    let answer = visitor.post("/api/auth/login", &who).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    assert!(visitor.cookie("nextbnb").is_some());
}

#[tokio::test]
async fn a_file_is_looked_at_without_a_trace() {
    let test = TestDatabase::sqlite().await;
    let gateway = connect(&test).await;
    gateway.migrate(&TableNames::default()).await.unwrap();
    gateway.close().await.unwrap();
    test.connection().clone().close().await.unwrap();
    let folder = test.path().parent().unwrap().to_owned();
    let before = contents(&folder);
    assert_eq!(before.len(), 1, "the log is at rest");
    print(&test).await;
    assert!(contents(&folder) == before, "the same file with the same bytes");
}

/// Every file in a folder, with what is in it.
pub(crate) fn contents(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let mut files: Vec<_> =
        files.map(|file| (file.display().to_string(), fs::read(&file).unwrap())).collect();
    files.sort();
    files
}
