//! Server Actions. Next.js runs one only for a page of the same host and port as it believes the
//! site to have, and answers 500 otherwise.

use bytes::Bytes;
use cookie::CookieJar;
use http::request::Builder;
use http::{Request, StatusCode, header};
use http_body_util::Full;
use nextbnb_tests::stack::registration;

use crate::fronts::{Front, Fronts};
use crate::play::Seen;

/// Somebody at a browser, on the page with the forms.
struct Person<'a> {
    front: &'a Front,
    jar: CookieJar,
    page: String,
    /// Who the application is told that they are.
    user: String,
}

/// How an action is asked for.
#[derive(Debug, Clone, Copy)]
enum Asked {
    /// By a form that the browser submits.
    ByForm,
    /// By Next.js's client.
    ByClient,
}

/// Tries every action under every name; fails with all that went wrong.
pub(crate) async fn check_all(fronts: &Fronts) {
    let mut failures = Vec::new();
    for front in &fronts.all {
        for mut person in [Person::guest(front).await, Person::signed_in(front).await] {
            let found = person.faults().await;
            let user = person.user;
            failures
                .extend(found.into_iter().map(|text| format!("{} ({user}): {text}", front.name)));
        }
    }
    assert!(failures.is_empty(), "{}:\n{}", failures.len(), failures.join("\n"));
}

impl<'a> Person<'a> {
    async fn guest(front: &'a Front) -> Self {
        let mut person =
            Self { front, jar: CookieJar::new(), page: String::new(), user: "nobody".to_owned() };
        person.read_page().await;
        person
    }

    async fn signed_in(front: &'a Front) -> Self {
        let mut person = Self::guest(front).await;
        let form = registration(&format!("{}@example.org", rand::random::<u64>())).to_string();
        let request = Request::post("/api/auth/register")
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ORIGIN, &front.origin)
            .body(Full::from(form))
            .unwrap();
        let seen = front.send(&mut person.jar, request).await;
        assert_eq!(seen.status, 200, "{}: {:?}", front.name, seen.body);
        let request = Request::get("/api/identity").body(Full::default()).unwrap();
        let told = front.send(&mut person.jar, request).await;
        let told: serde_json::Value = serde_json::from_slice(&told.body).unwrap();
        person.user = told["x-forwarded-user"].as_str().expect("nobody is told of").into();
        person
    }

    async fn read_page(&mut self) {
        let request = Request::get("/actions").body(Full::default()).unwrap();
        let seen = self.front.send(&mut self.jar, request).await;
        self.page = String::from_utf8(seen.body.to_vec()).unwrap();
    }

    /// The id of the action of the form `form`.
    fn action(&self, form: &str) -> &str {
        let (_, rest) =
            self.page.split_once(&format!("<form id=\"{form}\"")).expect("no such form");
        let (_, rest) = rest.split_once("$ACTION_ID_").expect("the form has no action");
        rest.split('"').next().unwrap()
    }

    /// Runs the action of `form` with one field.
    async fn run(&mut self, form: &str, asked: Asked, field: (&str, &str)) -> Seen {
        let origin = self.front.origin.clone();
        self.run_from(Some(&origin), form, asked, field, None).await
    }

    async fn run_from(
        &mut self,
        origin: Option<&str>,
        form: &str,
        asked: Asked,
        (name, value): (&str, &str),
        forged_host: Option<&str>,
    ) -> Seen {
        let id = self.action(form);
        let mut request = Request::post("/actions");
        for (name, value) in [("origin", origin), ("x-forwarded-host", forged_host)] {
            request = value.iter().fold(request, |request, value| request.header(name, *value));
        }
        let request = match asked {
            Asked::ByForm => by_form(request, id, name, value),
            Asked::ByClient => by_client(request, id, value),
        };
        self.front.send(&mut self.jar, request).await
    }

    async fn faults(&mut self) -> Vec<String> {
        let mut found = Vec::new();
        for asked in [Asked::ByForm, Asked::ByClient] {
            let mut check = |fact: &str, seen: &Seen, holds: bool| {
                if !holds {
                    let text = String::from_utf8_lossy(&seen.body);
                    let text: String = text.chars().take(300).collect();
                    let Seen { status, headers, .. } = seen;
                    found.push(format!("{fact}, {asked:?}: {status} {headers:?} {text:?}"));
                }
            };
            self.check_own(asked, &mut check).await;
            self.check_redirects(asked, &mut check).await;
            self.check_foreign(asked, &mut check).await;
        }
        found
    }

    /// The site's own pages run actions, which know who asks.
    async fn check_own(&mut self, asked: Asked, check: &mut impl FnMut(&str, &Seen, bool)) {
        let seen = self.run("say", asked, ("word", "hello")).await;
        let said = format!("hello by {}", self.user);
        check("an action runs", &seen, seen.status == 200 && seen.says(&said));
        let cookie = self.jar.get("said").map(|cookie| cookie.value().to_owned());
        let cookie = cookie.unwrap_or_default().replace("%20", " ");
        check("an action sets a cookie", &seen, cookie == said);
        let seen = self.run("stay", asked, ("a", "b")).await;
        check("an action renews its page", &seen, seen.status == 200 && seen.says(&said));
        let seen = self.run("renew", asked, ("a", "b")).await;
        check("an action renews a tag", &seen, seen.status == 200);
        check("an action ends a cookie", &seen, self.jar.get("said").is_none());
        let seen = self.run("nothing", asked, ("a", "b")).await;
        check("an action finds nothing", &seen, seen.status == 404);
        let seen = self.run("fail", asked, ("a", "b")).await;
        check("an action fails", &seen, seen.status == 500);
    }

    /// An action leads to a path, to the site's own origin, and elsewhere.
    async fn check_redirects(&mut self, asked: Asked, check: &mut impl FnMut(&str, &Seen, bool)) {
        let absolute = format!("{}/dynamic?by=action", self.front.origin);
        for target in ["/dynamic?by=action", &absolute, "https://elsewhere.example/x"] {
            let seen = self.run("go", asked, ("where", target)).await;
            let (status, field) = match asked {
                Asked::ByForm => (StatusCode::SEE_OTHER, "location"),
                Asked::ByClient => (StatusCode::OK, "x-action-redirect"),
            };
            let led = seen.headers.get(field).and_then(|value| value.to_str().ok());
            let led = led.unwrap_or_default().split(';').next().unwrap_or_default();
            let is_led = led == target || (target == absolute && led == "/dynamic?by=action");
            let fact = format!("an action leads to {target}");
            check(&fact, &seen, seen.status == status && is_led);
            check("an action that leads on sets a cookie", &seen, self.jar.get("gone").is_some());
            if matches!(asked, Asked::ByClient) && target.starts_with('/') {
                // Next.js asks itself for the page, past the gateway, with the fields of the request.
                let told = format!("[\\\"x-forwarded-user\\\",\\\"{}\\\"]", self.user);
                let knows = self.user == "nobody" || seen.says(&told);
                check("the page that an action leads to knows who asks", &seen, knows);
            }
        }
    }

    /// Pages of other sites run nothing, whatever they claim.
    async fn check_foreign(&mut self, asked: Asked, check: &mut impl FnMut(&str, &Seen, bool)) {
        let port = format!(
            "{}:1",
            self.front.origin.trim_end_matches(|c: char| c.is_ascii_digit() || c == ':')
        );
        for origin in ["http://evil.example", "https://shop.example.evil.example", &port] {
            let seen = self.run_from(Some(origin), "say", asked, ("word", "evil"), None).await;
            let runs = seen.status != 500 || self.jar.get("said").is_some();
            check(&format!("{origin} runs no action"), &seen, !runs);
        }
        if !self.front.is_proxy() {
            let forged = Some("evil.example");
            let origin = Some("http://evil.example");
            let seen = self.run_from(origin, "say", asked, ("word", "evil"), forged).await;
            check("a forged host runs no action", &seen, seen.status == 500);
        }
        let seen = self.run_from(None, "stay", asked, ("a", "b"), None).await;
        check("a browser that names no origin runs actions", &seen, seen.status == 200);
    }
}

impl Seen {
    fn says(&self, part: &str) -> bool {
        String::from_utf8_lossy(&self.body).contains(part)
    }
}

fn by_form(request: Builder, id: &str, name: &str, value: &str) -> Request<Full<Bytes>> {
    let part = |name: &str, value: &str| {
        format!("--xxx\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let body = part(&format!("$ACTION_ID_{id}"), "") + &part(name, value) + "--xxx--\r\n";
    request
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=xxx")
        .body(Full::from(body))
        .unwrap()
}

fn by_client(request: Builder, id: &str, value: &str) -> Request<Full<Bytes>> {
    let body = serde_json::json!([value]).to_string();
    request
        .header("next-action", id)
        .header(header::ACCEPT, "text/x-component")
        .header(header::CONTENT_TYPE, "text/plain;charset=UTF-8")
        .body(Full::from(body))
        .unwrap()
}
