//! What is known of Next.js's security, as far as it concerns a server that hosts itself.
//!
//! A small table, of advisories that a gateway can blunt or must not hide. Sources: osv.dev and the
//! GitHub Advisory Database by their numbers; tenable.com plugin pages 115752, 115757 and 480919 for
//! those of July and October 2026. Where the first release affected is not told, all since 13.0.0
//! count, the first with the App Router: none of them has the fix.

use crate::next::release::Release;

/// An advisory, or several that were told and mended together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Advisory {
    /// Its numbers.
    pub ids: &'static str,
    /// What somebody can do.
    pub what: &'static str,
    /// What the gateway does about it, if anything.
    pub blunted: Option<&'static str>,
    /// How much it matters.
    pub weight: Weight,
    /// The releases that are affected.
    pub affected: &'static [Range],
}

/// How much an advisory matters behind a gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// Strangers run code in the process of Next.js.
    RunsCode,
    /// Anything less.
    Lesser,
}

/// Releases from one to before that with the fix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// The first affected.
    pub from: Release,
    /// The first that is not any more.
    pub fixed: Release,
}

const fn range(from: (u32, u32, u32), fixed: (u32, u32, u32)) -> Range {
    Range {
        from: Release::of(from.0, from.1, from.2),
        fixed: Release::of(fixed.0, fixed.1, fixed.2),
    }
}

/// The table, newest first.
pub static ADVISORIES: [Advisory; 10] = [
    Advisory {
        ids: "CVE-2026-119350",
        what: "fallback shells can be poisoned",
        blunted: Some("the gateway removes Next.js's internal request headers"),
        weight: Weight::Lesser,
        affected: &[range((16, 4, 0), (16, 4, 5))],
    },
    Advisory {
        ids: "CVE-2026-94483, CVE-2026-94484, CVE-2026-94485, CVE-2026-94543, CVE-2026-94544",
        what: "the image optimizer fetches what it should not, and caches can be poisoned",
        blunted: None,
        weight: Weight::Lesser,
        affected: &[range((13, 0, 0), (15, 5, 27)), range((16, 0, 0), (16, 3, 8))],
    },
    Advisory {
        ids: "CVE-2026-64641 to CVE-2026-64649",
        what: "denial of service, disclosed server functions, and requests of the server's own to \
               places that a client chooses",
        blunted: Some("the gateway sends a checked Host, on which the worst of them rests"),
        weight: Weight::Lesser,
        affected: &[range((13, 0, 0), (15, 5, 21)), range((16, 0, 0), (16, 2, 11))],
    },
    Advisory {
        ids: "CVE-2026-44573, CVE-2026-44574, CVE-2026-44575, CVE-2026-45109, GHSA-mg66-mrh9-m8jx, \
              GHSA-3g8h-86w9-wvmq",
        what: "middleware misses other spellings of a path, connections can be exhausted, and \
               caches poisoned",
        blunted: None,
        weight: Weight::Lesser,
        affected: &[range((13, 0, 0), (15, 5, 18)), range((16, 0, 0), (16, 2, 6))],
    },
    Advisory {
        ids: "CVE-2026-44578",
        what: "an upgrade with an absolute target makes the server ask any host (GHSA-c4j6-fc7j-m34r)",
        blunted: Some("the gateway passes no absolute target on"),
        weight: Weight::Lesser,
        affected: &[range((13, 4, 13), (15, 5, 16)), range((16, 0, 0), (16, 2, 5))],
    },
    Advisory {
        ids: "CVE-2026-29057",
        what: "requests are smuggled through rewrites by chunked DELETE and OPTIONS \
               (GHSA-ggv3-7p47-pfv8)",
        blunted: Some("the gateway frames every body anew"),
        weight: Weight::Lesser,
        affected: &[range((9, 5, 0), (15, 5, 13)), range((16, 0, 0), (16, 1, 7))],
    },
    Advisory {
        ids: "CVE-2025-55182, CVE-2025-66478",
        what: "strangers run code in the server by a Server Action's body (React2Shell)",
        blunted: None,
        weight: Weight::RunsCode,
        affected: &[
            range((15, 0, 0), (15, 0, 5)),
            range((15, 1, 0), (15, 1, 9)),
            range((15, 2, 0), (15, 2, 6)),
            range((15, 3, 0), (15, 3, 6)),
            range((15, 4, 0), (15, 4, 8)),
            range((15, 5, 0), (15, 5, 7)),
            range((16, 0, 0), (16, 0, 7)),
        ],
    },
    Advisory {
        ids: "CVE-2025-57822",
        what: "headers that middleware passes on make the server ask any host",
        blunted: Some("the gateway removes x-middleware-* from clients"),
        weight: Weight::Lesser,
        affected: &[range((0, 9, 9), (14, 2, 32)), range((15, 0, 0), (15, 4, 7))],
    },
    Advisory {
        ids: "CVE-2025-29927",
        what: "a header skips middleware, and whatever it guards",
        blunted: Some("the gateway removes x-middleware-subrequest from clients"),
        weight: Weight::Lesser,
        affected: &[
            range((11, 1, 4), (12, 3, 5)),
            range((13, 0, 0), (13, 5, 9)),
            range((14, 0, 0), (14, 2, 25)),
            range((15, 0, 0), (15, 2, 3)),
        ],
    },
    Advisory {
        ids: "CVE-2024-34351",
        what: "a Host makes Server Actions that redirect ask any host",
        blunted: Some("--public-url has the gateway send one host alone"),
        weight: Weight::Lesser,
        affected: &[range((13, 4, 0), (14, 1, 1))],
    },
];

impl Advisory {
    /// The release that mends it for somebody with `release`; `None` where that is not affected.
    pub fn fix_for(&self, release: Release) -> Option<Release> {
        let holds = |range: &&Range| release.is_since(range.from) && release < range.fixed;
        self.affected.iter().find(holds).map(|range| range.fixed)
    }
}

/// The advisories that concern `release`, each with what mends it.
pub fn of(release: Release) -> Vec<(&'static Advisory, Release)> {
    let concern = |advisory: &'static Advisory| Some((advisory, advisory.fix_for(release)?));
    ADVISORIES.iter().filter_map(concern).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(release: &str) -> Vec<&'static str> {
        of(Release::parse(release).unwrap()).iter().map(|(advisory, _)| advisory.ids).collect()
    }

    #[track_caller]
    fn check(id: &str, release: &str, is_affected: bool) {
        let told = ids(release).iter().any(|ids| ids.contains(id));
        assert_eq!(told, is_affected, "{id} in {release}");
    }

    #[test]
    fn each_range_holds_its_first_release_and_not_that_with_the_fix() {
        for advisory in &ADVISORIES {
            for range in advisory.affected {
                assert!(range.from < range.fixed, "{}", advisory.ids);
                assert_eq!(advisory.fix_for(range.from), Some(range.fixed), "{}", advisory.ids);
                assert_eq!(advisory.fix_for(range.fixed), None, "{}", advisory.ids);
            }
        }
    }

    #[test]
    fn what_the_advisories_say_of_releases_at_the_edges() {
        for (id, affected, not) in [
            ("CVE-2026-119350", "16.4.4", "16.4.5"),
            ("CVE-2026-119350", "16.4.0", "16.3.9"),
            ("CVE-2026-94483", "15.5.26", "15.5.27"),
            ("CVE-2026-94483", "16.3.7", "16.3.8"),
            ("CVE-2026-64649", "15.5.20", "15.5.21"),
            ("CVE-2026-64649", "16.2.10", "16.2.11"),
            ("CVE-2026-44574", "15.5.17", "15.5.18"),
            ("CVE-2026-44574", "16.2.5", "16.2.6"),
            ("CVE-2026-44578", "13.4.13", "13.4.12"),
            ("CVE-2026-44578", "15.5.15", "15.5.16"),
            ("CVE-2026-44578", "16.2.4", "16.2.5"),
            ("CVE-2026-29057", "9.5.0", "9.4.4"),
            ("CVE-2026-29057", "15.5.12", "15.5.13"),
            ("CVE-2026-29057", "16.1.6", "16.1.7"),
            ("CVE-2025-55182", "15.0.4", "15.0.5"),
            ("CVE-2025-55182", "15.5.6", "15.5.7"),
            ("CVE-2025-55182", "16.0.6", "16.0.7"),
            ("CVE-2025-55182", "15.0.0", "14.2.35"),
            ("CVE-2025-57822", "14.2.31", "14.2.32"),
            ("CVE-2025-57822", "15.4.6", "15.4.7"),
            ("CVE-2025-29927", "11.1.4", "11.1.3"),
            ("CVE-2025-29927", "12.3.4", "12.3.5"),
            ("CVE-2025-29927", "13.5.8", "13.5.9"),
            ("CVE-2025-29927", "14.2.24", "14.2.25"),
            ("CVE-2025-29927", "15.2.2", "15.2.3"),
            ("CVE-2024-34351", "13.4.0", "13.3.4"),
            ("CVE-2024-34351", "14.1.0", "14.1.1"),
        ] {
            let id = if id == "CVE-2026-64649" { "to CVE-2026-64649" } else { id };
            check(id, affected, true);
            check(id, not, false);
        }
    }

    #[test]
    fn a_canary_has_the_fix_of_no_release_after_it() {
        check("CVE-2026-119350", "16.4.5-canary.1", true);
        check("CVE-2026-119350", "16.4.0-canary.1", true);
        check("CVE-2026-119350", "16.4.6-canary.1", false);
    }

    #[test]
    fn of_the_release_that_the_frontend_has_nothing_is_known() {
        assert_eq!(ids("16.4.5"), [""; 0]);
    }
}
