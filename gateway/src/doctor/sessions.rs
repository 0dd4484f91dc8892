//! What the rows of the table of sessions are.

use super::site::Site;
use super::{Finding, counted, listed};
use crate::database::look::Look;
use crate::database::{DatabaseError, columns};
use crate::session::clock::Clock;
use crate::session::survey::{Survey, survey};
use crate::session::user_key::UserKey;

/// Counts the rows; at most `limit` of them.
pub(super) async fn count(
    look: &Look,
    site: &Site,
    limit: Option<u64>,
) -> Result<Vec<Finding>, DatabaseError> {
    if !columns::exists(&look.begin().await?, &site.layout.tables.sessions).await? {
        return Ok(Vec::new());
    }
    let whose = (&site.accounts, &site.user_key);
    let survey = survey(look, &site.layout, whose, limit, Clock.now()).await?;
    let unread = unread(&survey, &site.user_key);
    let findings = [Some(summary(&survey)), damaged(&survey), unread, gone(&survey)];
    Ok(findings.into_iter().flatten().chain(unsound(&survey)).collect())
}

fn summary(survey: &Survey) -> Finding {
    let Survey { live, expired, guests, signed_in, .. } = survey;
    let sample = if survey.is_sample { " (a sample)" } else { "" };
    let what = format!(
        "{}{sample}: {live} live, {expired} expired; of the live ones {signed_in} signed in, \
         {guests} of guests",
        counted(survey.rows(), "row")
    );
    Finding::ok("sessions", what)
        .fact("rows", survey.rows())
        .fact("sample", survey.is_sample)
        .fact("live", *live)
        .fact("expired", *expired)
        .fact("signed_in", *signed_in)
        .fact("guests", *guests)
}

fn damaged(survey: &Survey) -> Option<Finding> {
    let count = survey.damaged.values().sum();
    (count > 0).then(|| {
        let list = listed(&survey.damaged);
        let mut finding =
            Finding::warning("damaged-sessions", format!("{}: {list}", counted(count, "row")))
                .why("whoever has such a session's cookie is a guest; Express answers 500 to most")
                .cure("nothing: they sign in anew; delete the rows if they are many")
                .fact("rows", count);
        for (reason, count) in &survey.damaged {
            finding = finding.fact(reason, *count);
        }
        finding
    })
}

fn unread(survey: &Survey, key: &UserKey) -> Option<Finding> {
    let (shape, _) = survey.unread.iter().max_by_key(|(_, count)| *count)?;
    let (sessions, list) =
        (counted(survey.unread.values().sum(), "session"), listed(&survey.unread));
    let what =
        format!("{sessions} not read by --session-user-key {key}: `passport.user` is {list}");
    let id = "unread-users";
    let finding =
        if survey.signed_in == 0 { Finding::problem(id, what) } else { Finding::warning(id, what) };
    let finding = survey
        .unread
        .iter()
        .fold(finding, |finding, (shape, count)| finding.fact(&shape.to_string(), *count));
    Some(
        finding
            .why("the gateway takes them for guests, and leaves them alone")
            .cure(shape.advice()),
    )
}

fn gone(survey: &Survey) -> Option<Finding> {
    (survey.gone > 0).then(|| {
        let what = format!("{} of an account that is not there", counted(survey.gone, "session"));
        Finding::warning("gone-users", what)
            .why("they are guests' from now on; many of them speak for the wrong --users-table")
            .cure("nothing, where accounts were deleted, or changed what sessions name them by")
            .fact("sessions", survey.gone)
    })
}

fn unsound(survey: &Survey) -> Option<Finding> {
    (survey.unsound > 0).then(|| {
        let what = format!(
            "{} with attributes that no cookie can have",
            counted(survey.unsound, "session")
        );
        Finding::warning("unsound-cookies", what)
            .why("they are live, but their cookie is never sent again, and so ends on its day")
            .cure("nothing: they sign in anew then")
            .fact("sessions", survey.unsound)
    })
}
