//! What `migrate` would do, and whether this role may do it.

use nextbnb_migrations::TableNames;
use nextbnb_migrations::plan::Plan;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};

use super::Finding;
use crate::database::look::Look;
use crate::database::tables::TableChoice;
use crate::error::chain;

const ID: &str = "migrations";

/// Names what is pending, and what a newer release applied.
pub(super) async fn check(
    look: &Look,
    choice: &TableChoice,
    names: &TableNames,
) -> Result<Vec<Finding>, DbErr> {
    let plan = match look.plan(choice).await {
        Ok(plan) => plan,
        Err(error) => return Ok(vec![Finding::problem(ID, chain(&error))]),
    };
    let may_apply = plan.pending.is_empty() || may_apply(look, names).await?;
    Ok(later(&plan).into_iter().chain([pending(&plan, may_apply)]).collect())
}

fn pending(plan: &Plan, may_apply: bool) -> Finding {
    let pending: Vec<&str> = plan.pending.iter().map(|step| step.name.as_str()).collect();
    let list = pending.join(", ");
    let finding = if pending.is_empty() {
        Finding::ok(ID, "nothing is pending")
    } else if may_apply {
        Finding::ok(ID, format!("pending, and applied by the next `serve` or `migrate`: {list}"))
    } else {
        Finding::problem(ID, format!("pending, and this role may not apply: {list}"))
            .why("`serve` does not start before they are applied")
            .cure("`nextbnb-gateway migrate --print` writes the SQL for the schema's owner")
    };
    finding.fact("pending", pending).fact("may_apply", may_apply)
}

fn later(plan: &Plan) -> Option<Finding> {
    let list = plan.later.join(", ");
    (!plan.later.is_empty()).then(|| {
        Finding::warning(ID, format!("a newer release has applied {list}"))
            .why("this release does without; it can be gone back to by one release only")
            .cure("run the newer release, where going back was not meant")
            .fact("later", plan.later.clone())
    })
}

/// Whether the role may make tables and indexes, and owns those that get new ones.
async fn may_apply(look: &Look, names: &TableNames) -> Result<bool, DbErr> {
    if look.backend() != DbBackend::Postgres {
        return Ok(true);
    }
    let query = r#"SELECT coalesce(has_schema_privilege(current_schema(), 'CREATE'), false)
            AND NOT EXISTS (SELECT 1 FROM pg_class
                WHERE oid IN (to_regclass(quote_ident($1::text)), to_regclass(quote_ident($2::text)))
                  AND NOT pg_has_role(relowner, 'USAGE')) AS "may""#;
    let values = [names.sessions.as_str().into(), names.users.as_str().into()];
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, query, values);
    let row = look.begin().await?.query_one_raw(statement).await?;
    row.map_or(Ok(false), |row| row.try_get("", "may"))
}
