//! Checks: what is asked of the application, and what it must answer.

use bytes::Bytes;
use http::Method;

/// One fact about the application, shown by requests in a row.
pub(crate) struct Check {
    pub(crate) name: &'static str,
    pub(crate) steps: Vec<Step>,
    /// Whether only a built application shows it.
    pub(crate) is_for_production: bool,
}

/// One request of a browser that keeps cookies, and its answer.
pub(crate) struct Step {
    pub(crate) method: Method,
    pub(crate) target: Target,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Bytes,
    pub(crate) status: u16,
    pub(crate) says: Vec<&'static str>,
    pub(crate) fields: Vec<(&'static str, &'static str)>,
}

/// Where a request goes.
pub(crate) enum Target {
    /// A path with its query; `{build}`, `{asset}` and `{next}` stand for what the build decides.
    Path(String),
    /// Where the answer before led.
    Location,
    /// Once more where the request before went, if it has changed since.
    Unchanged,
}

/// A check that has no step yet.
pub(crate) fn check(name: &'static str) -> Check {
    Check { name, steps: Vec::new(), is_for_production: false }
}

impl Check {
    pub(crate) fn get(self, path: &str) -> Self {
        self.step(Method::GET, Target::Path(path.to_owned()))
    }

    pub(crate) fn head(self, path: &str) -> Self {
        self.step(Method::HEAD, Target::Path(path.to_owned()))
    }

    pub(crate) fn method(self, method: &str, path: &str) -> Self {
        self.step(method.parse().unwrap(), Target::Path(path.to_owned()))
    }

    pub(crate) fn post(self, path: &str, content_type: &str, body: impl Into<Bytes>) -> Self {
        let mut check = self
            .step(Method::POST, Target::Path(path.to_owned()))
            .with("content-type", content_type);
        check.last().body = body.into();
        check
    }

    /// Goes to where the last answer led, with the same fields.
    pub(crate) fn follow(self) -> Self {
        self.again(Target::Location)
    }

    /// Asks whether the last answer has changed.
    pub(crate) fn unchanged(self) -> Self {
        self.again(Target::Unchanged).status(304)
    }

    fn again(mut self, target: Target) -> Self {
        let headers = self.last().headers.clone();
        let mut check = self.step(Method::GET, target);
        check.last().headers = headers;
        check
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.last().headers.push((name, value.to_owned()));
        self
    }

    /// The status wanted; 200 where none is named.
    pub(crate) fn status(mut self, status: u16) -> Self {
        self.last().status = status;
        self
    }

    /// What the body must contain.
    pub(crate) fn says(mut self, part: &'static str) -> Self {
        self.last().says.push(part);
        self
    }

    /// What a field must contain.
    pub(crate) fn field(mut self, name: &'static str, part: &'static str) -> Self {
        self.last().fields.push((name, part));
        self
    }

    pub(crate) fn in_production(mut self) -> Self {
        self.is_for_production = true;
        self
    }

    fn step(mut self, method: Method, target: Target) -> Self {
        self.steps.push(Step {
            method,
            target,
            headers: Vec::new(),
            body: Bytes::new(),
            status: 200,
            says: Vec::new(),
            fields: Vec::new(),
        });
        self
    }

    fn last(&mut self) -> &mut Step {
        self.steps.last_mut().unwrap()
    }
}
