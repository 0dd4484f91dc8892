//! `users` and `sessions`, the program's own commands, beside a gateway that serves.

use std::io::Write;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use http::StatusCode;
use nextbnb_tests::binary::gateway_binary;
use nextbnb_tests::database::TestDatabase;
use nextbnb_tests::next::{Group, free_address};
use nextbnb_tests::visitor::Visitor;
use nextbnb_tests::wait_until;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::program::{self, listens};
use crate::site::SECRET;

const ADA: &str = "ada@example.com";
const BOB: &str = "bob@example.com";
const PASSWORD: &str = "correct horse";

/// Longest time until a gateway knows that a session was ended elsewhere.
const AT_ONCE: Duration = Duration::from_secs(1);

/// Where commands find a site.
struct Shell {
    folder: TempDir,
    url: String,
    secret: Option<String>,
}

/// What a command wrote, and how it ended.
struct Said {
    out: String,
    err: String,
    code: Option<i32>,
}

impl Shell {
    fn on(test: &TestDatabase) -> Self {
        let secret = Some(SECRET.repeat(2));
        Self { folder: TempDir::new().unwrap(), url: test.url().to_owned(), secret }
    }

    /// On tables that are up to date.
    fn migrated(test: &TestDatabase) -> Self {
        let shell = Self::on(test);
        assert_eq!(shell.run("migrate", "").code, Some(0));
        shell
    }

    /// Runs a command of words without blanks, with `input`.
    fn run(&self, words: &str, input: &str) -> Said {
        let mut command = Command::new(gateway_binary());
        command.args(words.split(' ')).current_dir(&self.folder).env_clear();
        command.env("DATABASE_URL", &self.url).stdin(Stdio::piped());
        command.envs(self.secret.iter().map(|secret| ("SESSION_SECRET", secret)));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // One that reads nothing may have ended before.
        child.stdin.take().unwrap().write_all(input.as_bytes()).ok();
        let output = child.wait_with_output().unwrap();
        let [out, err] =
            [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        Said { out, err, code: output.status.code() }
    }

    /// What a command writes that ends well.
    #[track_caller]
    fn out(&self, words: &str, input: &str) -> String {
        let Said { out, err, code } = self.run(words, input);
        assert_eq!(code, Some(0), "{words}: {err}");
        out
    }

    /// What a command says that ends badly.
    #[track_caller]
    fn refusal(&self, words: &str, input: &str) -> String {
        let Said { out, err, code } = self.run(words, input);
        assert_eq!((code, out.as_str()), (Some(1), ""), "{words}: {err}");
        assert!(err.starts_with("nextbnb-gateway: ") && err.lines().count() == 1, "{err}");
        err
    }

    fn listed(&self, words: &str) -> Vec<Value> {
        let lines = self.out(&format!("{words} --json"), "");
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// A gateway that serves on the same tables.
    async fn serve(&self) -> Gateway {
        let address = free_address();
        let mut serve = program::serve(&self.url, self.folder.path(), address);
        let process = Group::spawn(serve.stderr(Stdio::null()));
        listens(address).await;
        Gateway { address, _process: process }
    }
}

struct Gateway {
    address: SocketAddr,
    _process: Group,
}

impl Gateway {
    /// Somebody who has an account and is signed in, whose session was read.
    async fn signs_in(&self, shell: &Shell, email: &str) -> Visitor {
        shell.run(&format!("users add {email}"), PASSWORD); // Perhaps there is one already.
        let visitor = Visitor::new(self.address);
        assert_eq!(log_in(&visitor, email, PASSWORD).await, StatusCode::OK);
        assert!(is_known(&visitor).await);
        visitor
    }
}

async fn log_in(visitor: &Visitor, email: &str, password: &str) -> StatusCode {
    let login = json!({ "email": email, "password": password });
    visitor.post("/api/auth/login", &login).await.status
}

async fn is_known(visitor: &Visitor) -> bool {
    visitor.get("/.nextbnb/session").await.json()["user"] != Value::Null
}

/// Fails unless the gateway takes the visitor for a guest from about now on.
async fn is_forgotten_at_once(visitor: &Visitor) {
    let since = Instant::now();
    wait_until("the visitor is a guest", async || !is_known(visitor).await).await;
    assert!(since.elapsed() < AT_ONCE, "after {:?}", since.elapsed());
}

async fn a_user_who_was_added_signs_in(test: TestDatabase) {
    let shell = Shell::migrated(&test);
    let made = shell.out(&format!("users add --name Ada {ADA}"), "correct horse\nand more\n");
    assert_eq!(made, format!("made the account 1 of {ADA}\n"));
    let hashes = test.texts(r#"SELECT "password" FROM "users""#).await;
    assert!(hashes[0].starts_with("$2b$10$"), "{hashes:?}");
    let gateway = shell.serve().await;
    let visitor = Visitor::new(gateway.address);
    assert_eq!(log_in(&visitor, ADA, PASSWORD).await, 200);
    let user = visitor.get("/.nextbnb/session").await.json()["user"].clone();
    assert_eq!(user, json!({ "id": 1, "email": ADA, "name": "Ada" }));
}

async fn the_rules_of_registration_hold_for_who_is_added(test: TestDatabase) {
    let shell = Shell::migrated(&test);
    let add = format!("users add {ADA}");
    for (command, input, wanted) in [
        (add.as_str(), "short\n", "want a password of at least 8 characters"),
        (&add, &"x".repeat(73), "want a password of at most 72 bytes"),
        (&add, "", "want it at the prompt, or as one line"),
        ("users add ada", PASSWORD, "want an email address"),
        ("users set-password nobody@example.com", PASSWORD, "no account has the address"),
        ("users remove nobody@example.com", "", "no account has the address"),
        ("sessions end --user nobody@example.com", "", "no account has the address"),
    ] {
        let told = shell.refusal(command, input);
        assert!(told.contains(wanted), "{told}");
    }
    assert_eq!(shell.listed("users list"), Vec::<Value>::new());
    shell.out(&add, PASSWORD);
    let told = shell.refusal("users add ADA@example.com", PASSWORD);
    assert!(told.contains("has an account already"), "{told}");
    shell.out("users add --email-case exact ADA@example.com", PASSWORD);
    shell.out("users add --compat express odd", "x");
    let emails: Vec<_> =
        shell.listed("users list").iter().map(|user| user["email"].clone()).collect();
    assert_eq!(emails, [ADA, "ADA@example.com", "odd"]);
}

async fn a_new_password_ends_the_accounts_sessions_and_nobody_elses(test: TestDatabase) {
    let shell = Shell::migrated(&test);
    let gateway = shell.serve().await;
    let [ada, bob] = [gateway.signs_in(&shell, ADA).await, gateway.signs_in(&shell, BOB).await];
    let told = shell.out("users set-password ADA@example.com", "another horse\n");
    assert_eq!(told, "the account 1 has its new password; 1 session ended\n");
    is_forgotten_at_once(&ada).await;
    assert!(is_known(&bob).await);
    assert_eq!(log_in(&ada, ADA, PASSWORD).await, 401);
    assert_eq!(log_in(&ada, ADA, "another horse").await, 200);
}

async fn who_is_removed_is_nobody_and_leaves_nothing(test: TestDatabase) {
    let shell = Shell::migrated(&test);
    let gateway = shell.serve().await;
    let [ada, bob] = [gateway.signs_in(&shell, ADA).await, gateway.signs_in(&shell, BOB).await];
    let told = shell.out(&format!("users remove {ADA}"), "");
    assert_eq!(told, format!("removed the account 1 of {ADA}; 1 session ended\n"));
    is_forgotten_at_once(&ada).await;
    assert!(is_known(&bob).await);
    assert_eq!(log_in(&ada, ADA, PASSWORD).await, 401);
    assert_eq!(test.texts(r#"SELECT "email" FROM "users""#).await, [BOB]);
    assert_eq!(test.texts(r#"SELECT "sid" FROM "Sessions""#).await.len(), 1);
}

async fn a_session_that_is_ended_is_forgotten_at_once_by_a_gateway_that_had_read_it(
    test: TestDatabase,
) {
    let shell = Shell::migrated(&test);
    let gateway = shell.serve().await;
    let [ada, bob] = [gateway.signs_in(&shell, ADA).await, gateway.signs_in(&shell, BOB).await];
    let listed = shell.listed(&format!("sessions list --user {ADA}"));
    let [session] = &listed[..] else { panic!("{listed:?}") };
    assert_eq!(session["user"], json!({ "id": 1, "email": ADA, "name": null }));
    let hash = session["session"].as_str().unwrap();
    assert_eq!(hash.len(), 16, "as in the log");
    assert_eq!(shell.out(&format!("sessions end {hash}"), ""), "1 session ended\n");
    is_forgotten_at_once(&ada).await;
    assert!(is_known(&bob).await);
    let told = shell.refusal(&format!("sessions end {hash}"), "");
    assert!(told.contains(&format!("no such session: {hash}")), "{told}");

    let cookie = format!("Cookie: a=b; nextbnb={}\n", bob.cookie("nextbnb").unwrap());
    assert_eq!(shell.out("sessions end --cookie-stdin", &cookie), "1 session ended\n");
    is_forgotten_at_once(&bob).await;
}

async fn sessions_are_ended_by_whose_they_are_or_all(test: TestDatabase) {
    let shell = Shell::migrated(&test);
    let gateway = shell.serve().await;
    let mut visitors = Vec::new();
    for email in [ADA, ADA, BOB] {
        visitors.push(gateway.signs_in(&shell, email).await);
    }
    assert_eq!(shell.out("sessions end --user ADA@example.com", ""), "2 sessions ended\n");
    let counts = shell.listed("users list --sessions");
    let counts: Vec<_> = counts.iter().map(|user| user["sessions"].as_u64().unwrap()).collect();
    assert_eq!(counts, [0, 1]);
    assert!(is_known(&visitors[2]).await);
    let told = shell.refusal("sessions end --all", "yes\n");
    assert!(told.contains("want --yes"), "{told}");
    assert!(is_known(&visitors[2]).await, "nobody could be asked");
    assert_eq!(shell.out("sessions end --all --yes", ""), "1 session ended\n");
    for visitor in &visitors {
        is_forgotten_at_once(visitor).await;
    }
}

/// A session without the site's secret is called by its digest; what is in rows moves no cursor.
async fn a_list_shows_neither_ids_nor_hashes_nor_control_characters(test: TestDatabase) {
    let mut shell = Shell::migrated(&test);
    let evil = "a\u{1b}[2J\u{9b}2J@b.c";
    let data = json!({ "cookie": {}, "passport": { "user": evil } });
    test.run(&format!(
        r#"INSERT INTO "users" ("email", "password") VALUES ('{evil}', '$2b$10$hash');
        INSERT INTO "Sessions" VALUES
            ('sid-of-evil', '2999-01-01 00:00:00+00:00', '{data}', '{TIME}', '{TIME}'),
            ('sid-of-guest', '2999-01-01 00:00:00+00:00', '{{"cookie":{{}}}}', '{TIME}', '{TIME}'),
            ('sid-of-nobody', '2001-01-01 00:00:00+00:00', '{data}', '{TIME}', '{TIME}')"#
    ))
    .await;
    shell.secret = None;
    let sessions = shell.out("sessions list", "");
    let lines: Vec<&str> = sessions.lines().collect();
    assert!(lines[0].starts_with("SESSION ") && lines[0].ends_with(" E-MAIL"), "{sessions}");
    assert_eq!(lines.len(), 3, "{sessions}");
    assert!(lines.iter().any(|line| line.ends_with("2999-01-01T00:00:00Z  guest")), "{sessions}");
    for list in ["sessions list", "sessions list --json", "users list", "users list --json"] {
        let written = shell.out(list, "");
        assert!(!written.contains(|c: char| c.is_control() && c != '\n'), "{written:?}");
        assert!(!written.contains("sid-of") && !written.contains("$2b$"), "{written}");
    }
    let digest = lines.iter().find(|line| line.contains("guest")).unwrap();
    let digest = digest.split(' ').next().unwrap();
    assert_eq!(digest.len(), 32);
    shell.out(&format!("sessions end {digest}"), "");
    let left = test.texts(r#"SELECT "sid" FROM "Sessions" ORDER BY "sid""#).await;
    assert_eq!(left, ["sid-of-evil", "sid-of-nobody"]);
    let told = shell.refusal("sessions end 0123456789abcdef", "");
    assert!(told.contains("give the secret"), "{told}");
}

const TIME: &str = "2026-12-01 00:00:00+00:00";

async fn sessions_that_name_ids_are_their_accounts(test: TestDatabase) {
    let shell = Shell::migrated(&test);
    for email in [ADA, BOB] {
        shell.out(&format!("users add {email}"), PASSWORD);
    }
    for (sid, user) in [("a", "1"), ("b", r#""2""#), ("c", "7"), ("d", r#""x@y.z""#)] {
        test.run(&format!(
            r#"INSERT INTO "Sessions" VALUES ('{sid}', '2999-01-01 00:00:00+00:00',
                '{{"cookie":{{}},"passport":{{"user":{user}}}}}', '{TIME}', '{TIME}')"#
        ))
        .await;
    }
    let listed = shell.listed("sessions list --session-user-key id");
    let whose: Vec<_> =
        listed.iter().map(|s| (s["user"]["email"].clone(), s["whose"].clone())).collect();
    let known = |email: &str| (json!(email), json!("known"));
    let other = |whose: &str| (Value::Null, json!(whose));
    assert_eq!(whose, [known(ADA), known(BOB), other("gone"), other("not read")]);
    shell.out(&format!("sessions end --session-user-key id --user {BOB}"), "");
    assert_eq!(test.texts(r#"SELECT "sid" FROM "Sessions" ORDER BY 1"#).await, ["a", "c", "d"]);
}

async fn a_list_that_is_cut_says_so_and_one_of_many_pages_is_whole(test: TestDatabase) {
    let shell = Shell::migrated(&test);
    let rows: Vec<String> = (0..2500)
        .map(|n| {
            format!(
                "('{n:04}', '2999-01-01 00:00:00+00:00', '{{\"cookie\":{{}}}}', '{TIME}', '{TIME}')"
            )
        })
        .collect();
    test.run(&format!(r#"INSERT INTO "Sessions" VALUES {}"#, rows.join(","))).await;
    let Said { out, err, .. } = shell.run("sessions list --limit 1200", "");
    assert_eq!((out.lines().count(), err.as_str()), (1201, "there are more than 1200 (--limit)\n"));
    let Said { out, err, .. } = shell.run("sessions list --limit 2500", "");
    assert_eq!((out.lines().count(), err.as_str()), (2501, ""));
    let starts: Vec<_> = out.lines().map(|line| line.find("  ").unwrap()).collect();
    assert!(starts[1..].iter().all(|start| *start == starts[1]), "columns stand below each other");
    assert_eq!(shell.out("sessions end --all --yes", ""), "2500 sessions ended\n");
    let Said { out, err, code } = shell.run("sessions list", "");
    assert_eq!((out.as_str(), err.as_str(), code), ("", "no sessions\n", Some(0)));
}

async fn without_tables_nothing_is_made_and_migrate_is_named(test: TestDatabase) {
    let shell = Shell::on(&test);
    for command in ["users list", "users add a@b.c", "sessions list", "sessions end --all --yes"] {
        let told = shell.refusal(command, PASSWORD);
        assert!(
            told.contains("has no table \"Sessions\": run `nextbnb-gateway migrate`"),
            "{told}"
        );
    }
    let tables = if test.is_postgres() {
        "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'"
    } else {
        "SELECT name FROM sqlite_master"
    };
    assert_eq!(test.texts(tables).await, [""; 0]);
}

/// As Sequelize makes them under `paranoid`, with names of the site's own.
async fn a_sites_own_tables_are_used_as_they_are(test: TestDatabase) {
    let (key, time) =
        if test.is_postgres() { ("SERIAL", "TIMESTAMPTZ") } else { ("INTEGER", "DATETIME") };
    test.run(&format!(
        r#"CREATE TABLE "People" ("id" {key} PRIMARY KEY, "mail" VARCHAR(255), "password" VARCHAR(255),
            "createdAt" {time} NOT NULL, "updatedAt" {time} NOT NULL, "deletedAt" {time});
        CREATE TABLE "Sessions" ("sid" VARCHAR(36) PRIMARY KEY, "expires" {time}, "data" TEXT,
            "createdAt" {time} NOT NULL, "updatedAt" {time} NOT NULL)"#
    ))
    .await;
    let shell = Shell::on(&test);
    let layout = "--users-table People --users-column email=mail";
    shell.out(&format!("users add {ADA} {layout}"), PASSWORD);
    assert_eq!(shell.listed(&format!("users list {layout}")).len(), 1);
    let told = shell.refusal(&format!("users add --name Ada {BOB} {layout}"), PASSWORD);
    assert!(told.contains("no column for --name"), "{told}");
    shell.out(&format!("users remove {ADA} {layout}"), "");
    assert!(shell.listed(&format!("users list {layout}")).is_empty());
    let kept = r#"SELECT "mail" FROM "People" WHERE "deletedAt" IS NOT NULL"#;
    assert_eq!(test.texts(kept).await, [ADA], "as Sequelize deletes it");
}

on_both_databases! {
    a_user_who_was_added_signs_in
    the_rules_of_registration_hold_for_who_is_added
    a_new_password_ends_the_accounts_sessions_and_nobody_elses
    who_is_removed_is_nobody_and_leaves_nothing
    a_session_that_is_ended_is_forgotten_at_once_by_a_gateway_that_had_read_it
    sessions_are_ended_by_whose_they_are_or_all
    a_list_shows_neither_ids_nor_hashes_nor_control_characters
    sessions_that_name_ids_are_their_accounts
    a_list_that_is_cut_says_so_and_one_of_many_pages_is_whole
    without_tables_nothing_is_made_and_migrate_is_named
    a_sites_own_tables_are_used_as_they_are
}
