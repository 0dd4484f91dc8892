//! What Postgres tells of changed sessions and accounts, whoever changes them.

use nextbnb_migrations::{TableNames, UserColumns, notices};
use nextbnb_tests::database::TestDatabase;
use sea_orm::sqlx::postgres::PgListener;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::site::connect;

/// Hears what is told of both tables.
pub(crate) struct Hearer {
    pub(crate) test: TestDatabase,
    listener: PgListener,
}

impl Hearer {
    /// On tables with these names, migrated.
    async fn of(test: TestDatabase, names: &TableNames) -> Self {
        connect(&test).await.migrate(names).await.unwrap();
        let mut listener = PgListener::connect(test.url()).await.unwrap();
        for table in [&names.sessions, &names.users] {
            let quoted = format!("\"{}\"", table.replace('"', "\"\""));
            let oid = format!("SELECT '{}'::regclass::oid::text", quoted.replace('\'', "''"));
            let oid = test.texts(&oid).await[0].parse().unwrap();
            listener.listen(&notices::channel(oid)).await.unwrap();
        }
        listener.listen("end").await.unwrap();
        Self { test, listener }
    }

    async fn of_default() -> Self {
        Self::of(TestDatabase::postgres().await, &TableNames::default()).await
    }

    /// What `statements` have Postgres tell.
    async fn told_by(&mut self, statements: &str) -> Vec<String> {
        self.test.run(statements).await;
        self.test.run("NOTIFY \"end\"").await;
        let mut told = Vec::new();
        loop {
            let notice = self.listener.recv().await.unwrap();
            if notice.channel() == "end" {
                return told;
            }
            told.push(notice.payload().to_owned());
        }
    }

    #[track_caller]
    fn check(&mut self, statements: &str, told: &[String]) -> impl Future<Output = ()> {
        let place = std::panic::Location::caller();
        async move { assert_eq!(self.told_by(statements).await, told, "{place}: {statements}") }
    }
}

fn session(sid: &str) -> String {
    let half: [u8; 16] = Sha256::digest(sid)[..16].try_into().unwrap();
    format!("{:032x}", u128::from_be_bytes(half))
}

fn sessions(sids: &[&str]) -> String {
    json!(sids.iter().map(|sid| session(sid)).collect::<Vec<_>>()).to_string()
}

const NOTHING: &[String] = &[];

fn everything() -> Vec<String> {
    vec![notices::EVERYTHING.to_owned()]
}

const ROW: &str = r#"INSERT INTO "Sessions" VALUES ('a', now() + '1 day', '{}', now(), now())"#;

#[tokio::test]
async fn a_session_is_told_by_its_digest_when_it_is_made_changed_and_removed() {
    let mut hearer = Hearer::of_default().await;
    let a = [sessions(&["a"])];
    hearer.check(ROW, &a).await;
    hearer.check(r#"UPDATE "Sessions" SET "data" = '{"x":1}'"#, &a).await;
    hearer.check(r#"UPDATE "Sessions" SET "expires" = now() + '1 hour'"#, &a).await;
    let both = hearer.told_by(r#"UPDATE "Sessions" SET "sid" = 'b'"#).await;
    let both: Vec<String> = serde_json::from_str(&both[0]).unwrap();
    assert!(both.contains(&session("a")) && both.contains(&session("b")) && both.len() == 2);
    hearer.check(r#"DELETE FROM "Sessions" WHERE "sid" = 'b'"#, &[sessions(&["b"])]).await;
    hearer.check(r#"TRUNCATE "Sessions""#, &everything()).await;
}

/// What connect-session-sequelize 7 sends at each request.
#[tokio::test]
async fn a_touch_is_not_told() {
    let mut hearer = Hearer::of_default().await;
    hearer.test.run(ROW).await;
    hearer.told_by("SELECT 1").await;
    let touch = r#"UPDATE "Sessions" SET "expires" = now() + '2 days', "updatedAt" = now()
        WHERE "sid" = 'a'"#;
    hearer.check(touch, NOTHING).await;
    hearer.check(r#"UPDATE "Sessions" SET "expires" = "expires", "data" = "data""#, NOTHING).await;
    hearer.check(r#"DELETE FROM "Sessions" WHERE "sid" = 'nobody'"#, NOTHING).await;
}

#[tokio::test]
async fn a_rolled_back_change_is_not_told_and_several_of_one_statement_are_one_notice() {
    let mut hearer = Hearer::of_default().await;
    hearer.check(&format!("BEGIN; {ROW}; ROLLBACK"), NOTHING).await;
    let rows = r#"INSERT INTO "Sessions"
        SELECT 's' || n, now() + '1 day', '{}', now(), now() FROM generate_series(1, 3) n"#;
    hearer.check(rows, &[sessions(&["s1", "s2", "s3"])]).await;
}

#[tokio::test]
async fn many_at_once_are_everything_and_what_was_over_is_nothing() {
    let mut hearer = Hearer::of_default().await;
    let rows = |from: u32, to: u32, expires: &str| {
        format!(
            r#"INSERT INTO "Sessions" SELECT 's' || n, {expires}, '{{}}', now(), now()
            FROM generate_series({from}, {to}) n"#
        )
    };
    hearer.check(&rows(1, 51, "now() + '1 day'"), &everything()).await;
    hearer.check(r#"DELETE FROM "Sessions""#, &everything()).await;
    hearer.check(&rows(1, 51, "now() - '1 s'::interval"), &everything()).await;
    hearer.check(r#"DELETE FROM "Sessions" WHERE "expires" < now()"#, NOTHING).await;
    hearer.told_by(&rows(1, 1, "now() - '1 s'::interval")).await;
    let revived = r#"UPDATE "Sessions" SET "expires" = now() + '1 day'"#;
    hearer.check(revived, &[sessions(&["s1"])]).await;
    hearer.check(r#"UPDATE "Sessions" SET "expires" = NULL"#, NOTHING).await;
    hearer
        .check(r#"UPDATE "Sessions" SET "expires" = now() + '1 day'"#, &[sessions(&["s1"])])
        .await;
}

#[tokio::test]
async fn an_account_is_told_by_its_id_when_what_shows_of_it_changes() {
    let mut hearer = Hearer::of_default().await;
    let seven = [r#"["7"]"#.to_owned()];
    let new = r#"INSERT INTO "users" ("id", "email", "password") VALUES (7, 'a@b.c', 'h')"#;
    hearer.check(new, NOTHING).await;
    for change in ["\"email\" = 'b@b.c'", "\"password\" = 'i'", "\"name\" = 'Ada'"] {
        hearer.check(&format!(r#"UPDATE "users" SET {change}"#), &seven).await;
    }
    hearer.test.run(r#"ALTER TABLE "users" ADD "seen" TIMESTAMP, ADD "deletedAt" TIMESTAMP"#).await;
    hearer.check(r#"UPDATE "users" SET "seen" = now()"#, NOTHING).await;
    hearer.check(r#"UPDATE "users" SET "deletedAt" = now()"#, &seven).await;
    let both = [r#"["7","8"]"#.to_owned(), r#"["8","7"]"#.to_owned()];
    let told = hearer.told_by(r#"UPDATE "users" SET "id" = 8"#).await;
    assert!(told.len() == 1 && both.contains(&told[0]), "{told:?}");
    hearer.check(r#"DELETE FROM "users""#, &[r#"["8"]"#.to_owned()]).await;
    hearer.check(r#"TRUNCATE "users""#, &everything()).await;
}

#[tokio::test]
async fn an_id_that_no_notice_has_room_for_is_everything() {
    let test = TestDatabase::postgres().await;
    test.run(r#"CREATE TABLE "users" ("id" TEXT, "email" TEXT, "password" TEXT)"#).await;
    let mut hearer = Hearer::of(test, &TableNames::default()).await;
    hearer.test.run(r#"INSERT INTO "users" VALUES (repeat('é', 4000), 'a', 'b')"#).await;
    hearer.check(r#"DELETE FROM "users""#, &everything()).await;
}

/// A model that keeps what was deleted removes nothing; the column may come after the trigger.
#[tokio::test]
async fn a_session_that_is_kept_as_deleted_is_told() {
    let mut hearer = Hearer::of_default().await;
    hearer.test.run(ROW).await;
    hearer.test.run(r#"UPDATE "Sessions" SET "data" = '{"y":1}'"#).await;
    hearer.test.run(r#"ALTER TABLE "Sessions" ADD "deletedAt" TIMESTAMPTZ"#).await;
    hearer.told_by("SELECT 1").await;
    let removed = r#"UPDATE "Sessions" SET "deletedAt" = now(), "updatedAt" = now()"#;
    hearer.check(removed, &[sessions(&["a"])]).await;
    hearer.test.run(r#"ALTER TABLE "Sessions" DROP "deletedAt""#).await;
    hearer.check(r#"UPDATE "Sessions" SET "updatedAt" = now()"#, NOTHING).await;
}

#[tokio::test]
async fn tables_and_columns_of_every_name_and_kind_are_told_of() {
    let test = TestDatabase::postgres().await;
    test.run(
        r#"CREATE TABLE "my ""s'" ("sid" CHAR(36) PRIMARY KEY, "expires" TIMESTAMPTZ, "data" JSON);
        CREATE TABLE "U" ("the $nextbnb$ id" UUID PRIMARY KEY, "ma""il" TEXT, "hash" TEXT,
            "deleted_at" TIMESTAMPTZ, "extra" JSON)"#,
    )
    .await;
    let [id, email, password, name] =
        ["the $nextbnb$ id", "ma\"il", "hash", "deleted_at"].map(str::to_owned);
    let names = TableNames {
        sessions: "my \"s'".to_owned(),
        users: "U".to_owned(),
        user_columns: UserColumns { id, email, password, name },
    };
    let mut hearer = Hearer::of(test, &names).await;
    let sid = [sessions(&["padded"])];
    hearer.check(r#"INSERT INTO "my ""s'" VALUES ('padded', NULL, '"{}"')"#, &sid).await;
    hearer.check(r#"UPDATE "my ""s'" SET "data" = '"{1}"'"#, &sid).await;
    hearer.check(r#"DELETE FROM "my ""s'""#, &sid).await;
    let uuid = "6f1e9a52-0d8b-4c54-9a2f-2d7f6c0a9b11";
    let new =
        format!(r#"INSERT INTO "U" VALUES ('{}', 'a', 'b', NULL, '{{}}')"#, uuid.to_uppercase());
    hearer.check(&new, NOTHING).await;
    hearer.check(r#"UPDATE "U" SET "extra" = '{"x":1}'"#, NOTHING).await;
    hearer.check(r#"UPDATE "U" SET "ma""il" = 'c'"#, &[format!(r#"["{uuid}"]"#)]).await;
    hearer.check(r#"DELETE FROM "U""#, &[format!(r#"["{uuid}"]"#)]).await;
}

/// A foreign key with `ON DELETE CASCADE`, an upsert, COPY, a search path that leads elsewhere.
#[tokio::test]
async fn rows_are_told_of_by_whatever_way_they_change() {
    let mut hearer = Hearer::of_default().await;
    hearer
        .test
        .run(
            r#"ALTER TABLE "Sessions" ADD "owner" INTEGER REFERENCES "users" ON DELETE CASCADE;
            INSERT INTO "users" ("id", "email", "password") VALUES (7, 'a@b.c', 'h')"#,
        )
        .await;
    let upsert = r#"INSERT INTO "Sessions" VALUES ('a', now() + '1 day', '{}', now(), now(), 7)
        ON CONFLICT ("sid") DO UPDATE SET "data" = '{"z":1}'"#;
    hearer.check(upsert, &[sessions(&["a"])]).await;
    hearer.check(upsert, &[sessions(&["a"])]).await;
    let mut told = hearer.told_by(r#"DELETE FROM "users""#).await;
    told.sort();
    let mut both = [sessions(&["a"]), r#"["7"]"#.to_owned()];
    both.sort();
    assert_eq!(told, both);
    let elsewhere = r#"CREATE SCHEMA "evil"; CREATE FUNCTION "evil".left(text, int) RETURNS text
            LANGUAGE sql AS 'SELECT ''forged''';
        SET search_path = "evil", pg_catalog;
        INSERT INTO "public"."Sessions" VALUES ('c', now() + '1 day', '{}', now(), now())"#;
    hearer.check(elsewhere, &[sessions(&["c"])]).await;
}

#[tokio::test]
async fn sites_in_one_database_do_not_hear_each_other() {
    let test = TestDatabase::postgres().await;
    let other = TableNames {
        sessions: "other".to_owned(),
        users: "others".to_owned(),
        ..TableNames::default()
    };
    connect(&test).await.migrate(&other).await.unwrap();
    let mut hearer = Hearer::of(test, &TableNames::default()).await;
    let row = ROW.replace("Sessions", "other");
    hearer.check(&row, NOTHING).await;
    hearer.check(ROW, &[sessions(&["a"])]).await;
}

/// Trigger functions are for whoever may write to the table, not for the gateway's role alone.
#[tokio::test]
async fn a_role_that_may_write_the_table_alone_is_told_of() {
    let mut hearer = Hearer::of_default().await;
    let role = format!("{}_writer", hearer.test.name());
    let grant = format!(r#"CREATE ROLE "{role}"; GRANT INSERT ON "Sessions" TO "{role}""#);
    hearer.test.run(&grant).await;
    let insert = format!(r#"SET ROLE "{role}"; {ROW}; RESET ROLE"#);
    hearer.check(&insert, &[sessions(&["a"])]).await;
    hearer.test.run(&format!(r#"DROP OWNED BY "{role}"; DROP ROLE "{role}""#)).await;
}
