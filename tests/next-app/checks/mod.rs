//! What the application must do, and do no differently behind the gateway.

mod caches;
mod files;
mod flight;
mod handlers;
mod moves;
mod old_pages;
mod pages;
mod proxy;

use super::check::Check;

/// All of them, in the order in which they are played.
pub(crate) fn all() -> Vec<Check> {
    let tables = [
        pages::checks(),
        flight::checks(),
        handlers::checks(),
        moves::checks(),
        proxy::checks(),
        files::checks(),
        caches::checks(),
        old_pages::checks(),
    ];
    tables.into_iter().flatten().collect()
}
