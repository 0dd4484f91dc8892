//! Table `"Sessions"`: every statement the gateway sends about it.

use chrono::{DateTime, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter};

use super::id::SessionId;
use crate::database::dialect::moment;
use crate::entity::session::{ActiveModel, Column, Entity, Model};

/// The rows of `ids`, live or not, in no order.
///
/// `expires` is not asked for in SQL but looked at by whoever reads the row: on SQLite Sequelize's
/// spelling of a time compares wrongly, and a rule in one place is a rule.
pub(super) async fn find(
    connection: &impl ConnectionTrait,
    ids: &[SessionId],
) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::Sid.is_in(texts(ids))).all(connection).await
}

/// Writes the row of a session that begins now.
pub(super) async fn insert(
    connection: &impl ConnectionTrait,
    id: &SessionId,
    data: String,
    expires: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let row = ActiveModel {
        sid: Set(id.as_str().to_owned()),
        expires: Set(Some(expires)),
        data: Set(Some(data)),
        created_at: Set(now),
        updated_at: Set(now),
    };
    Entity::insert(row).exec_without_returning(connection).await?;
    Ok(())
}

/// Removes the rows of `ids`; a row that is not there is no failure.
pub(super) async fn delete(
    connection: &impl ConnectionTrait,
    ids: &[SessionId],
) -> Result<(), DbErr> {
    if !ids.is_empty() {
        Entity::delete_many().filter(Column::Sid.is_in(texts(ids))).exec(connection).await?;
    }
    Ok(())
}

/// Moves the end of a row that nobody wrote since it was last written at `updated`.
///
/// Never brings a row back: one that is gone stays gone.
pub(super) async fn touch(
    connection: &impl ConnectionTrait,
    id: &SessionId,
    updated: DateTime<Utc>,
    expires: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let backend = connection.get_database_backend();
    let is_unwritten =
        moment(backend, Expr::col(Column::UpdatedAt)).lte(moment(backend, Expr::val(updated)));
    Entity::update_many()
        .col_expr(Column::Expires, Expr::val(expires))
        .col_expr(Column::UpdatedAt, Expr::val(now))
        .filter(Column::Sid.eq(id.as_str()))
        .filter(is_unwritten)
        .exec(connection)
        .await?;
    Ok(())
}

/// Replaces a row's text, unless it is gone or another was written since: then nothing, `false`.
pub(super) async fn renew(
    connection: &impl ConnectionTrait,
    id: &SessionId,
    (old, new): (&str, &str),
    expires: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let outcome = Entity::update_many()
        .col_expr(Column::Expires, Expr::val(expires))
        .col_expr(Column::Data, Expr::val(new))
        .col_expr(Column::UpdatedAt, Expr::val(now))
        .filter(Column::Sid.eq(id.as_str()))
        .filter(Column::Data.eq(old))
        .exec(connection)
        .await?;
    Ok(outcome.rows_affected > 0)
}

/// Removes at most `count` rows that ended before `now`, and tells how many there were.
pub(super) async fn delete_expired(
    connection: &impl ConnectionTrait,
    now: DateTime<Utc>,
    count: u64,
) -> Result<u64, DbErr> {
    let backend = connection.get_database_backend();
    let is_over = moment(backend, Expr::col(Column::Expires)).lt(moment(backend, Expr::val(now)));
    let batch = Query::select()
        .column(Column::Sid)
        .from(Entity)
        .and_where(is_over.clone())
        .limit(count)
        .to_owned();
    // Asked twice: a row that is touched between the two questions stays.
    let outcome = Entity::delete_many()
        .filter(Column::Sid.in_subquery(batch))
        .filter(is_over)
        .exec(connection)
        .await?;
    Ok(outcome.rows_affected)
}

fn texts(ids: &[SessionId]) -> impl Iterator<Item = &str> {
    ids.iter().map(SessionId::as_str)
}
