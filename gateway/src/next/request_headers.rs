//! The request headers by which parts of Next.js talk to each other.

/// Says whether clients may not send this header, because Next.js (this or an older release)
/// believes that it wrote it itself.
///
/// `folded` is the name in lower case with `-` for every other mark. The headers of the client router
/// (`rsc`, `next-router-…`, `next-action`, `x-nextjs-…`, `x-middleware-prefetch`) are not among
/// them: dropping one sends the browser into a redirect loop. Forwarding headers and the gateway's
/// own are other rooms' affair.
///
/// Sources: `INTERNAL_HEADERS` of `next/dist/server/lib/server-ipc/utils.js`, which Next.js drops
/// by itself; CVE-2025-29927 (`x-middleware-subrequest`) and CVE-2025-57822 for older releases.
pub fn is_internal(folded: &str) -> bool {
    const NAMES: [&str; 4] =
        ["next-resume", "x-matched-path", "x-action-forwarded", "x-invocation-id"];
    const PREFIXES: [&str; 6] =
        ["x-middleware-", "x-invoke-", "x-now-", "x-next-", "x-prerender-revalidate", "x-vercel-"];
    folded != "x-middleware-prefetch"
        && (NAMES.contains(&folded) || PREFIXES.iter().any(|prefix| folded.starts_with(prefix)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_between_parts_of_next_are_internal() {
        for name in [
            "x-middleware-subrequest",
            "x-middleware-rewrite",
            "x-middleware-request-x-user",
            "x-invoke-path",
            "x-now-route-matches",
            "x-matched-path",
            "x-action-forwarded",
            "x-invocation-id",
            "x-next-revalidated-tags",
            "x-next-resume-state-length",
            "next-resume",
            "x-prerender-revalidate",
            "x-prerender-revalidate-if-generated",
            "x-vercel-ip-country",
        ] {
            assert!(is_internal(name), "{name}");
        }
    }

    #[test]
    fn headers_of_the_client_router_pass() {
        for name in [
            "rsc",
            "next-action",
            "next-url",
            "next-router-state-tree",
            "next-router-prefetch",
            "next-router-segment-prefetch",
            "next-hmr-refresh",
            "x-middleware-prefetch",
            "x-nextjs-data",
            "x-nextjs-request-id",
            "x-deployment-id",
            "x-requested-with",
        ] {
            assert!(!is_internal(name), "{name}");
        }
    }
}
