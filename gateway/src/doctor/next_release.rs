//! Which release of Next.js an application has, and what is known of it.

use super::Finding;
use crate::next::advisories::{self, Advisory, Weight};
use crate::next::manifest::Manifest;
use crate::next::package_manager::PackageManager;
use crate::next::project::Project;
use crate::next::release::Release;

/// The one installed, else the one that `package.json` asks for.
pub(super) fn look(project: &Project) -> Vec<Finding> {
    let folder = project.folder();
    let installed = Release::find_installed(folder);
    let manifest = Manifest::find(folder).ok().flatten();
    let range = manifest.as_ref().and_then(Manifest::range_of_next);
    let (release, source) = match (installed, range.and_then(Release::least_of_range)) {
        (Some(installed), _) => (installed, "installed"),
        (None, Some(asked)) => (asked, "asked for by package.json, not installed"),
        (None, None) => {
            let what = format!("its release is not told: {}", range.unwrap_or("no range"));
            return vec![
                Finding::warning("next", what)
                    .why("what is known of a release's security cannot be looked up")
                    .cure("install the packages"),
            ];
        }
    };
    let finding = Finding::ok("next", format!("Next.js {release}, {source}"));
    let mut findings = vec![finding.fact("version", release.to_string()).fact("source", source)];
    findings.extend(of_security(release, PackageManager::of(folder).0.program));
    findings
}

/// One finding an advisory; each names the same cure, which mends them all.
fn of_security(release: Release, program: &str) -> Vec<Finding> {
    const ID: &str = "next-advisory";
    let found = advisories::of(release);
    let Some(mended) = found.iter().map(|(_, fixed)| *fixed).max() else {
        let known = advisories::ADVISORIES.len();
        let what = format!("none of the {known} that are known here concerns Next.js {release}");
        return vec![Finding::ok(ID, what)];
    };
    let add = if program == "npm" { "install" } else { "add" };
    let finding = |(advisory, fixed): &(&Advisory, Release)| {
        let what = format!("{}: {}", advisory.ids, advisory.what);
        let finding = match advisory.weight {
            Weight::RunsCode => Finding::problem(ID, what),
            Weight::Lesser => Finding::warning(ID, what),
        };
        let why = match advisory.blunted {
            Some(blunted) => format!(
                "mended in {fixed}; {blunted}, who reaches Next.js otherwise is not stopped"
            ),
            None => format!("mended in {fixed}; the gateway does not stop it"),
        };
        finding
            .why(why)
            .cure(format!("{program} {add} next@{mended}, or newer"))
            .fact("advisories", advisory.ids)
            .fact("fixed", fixed.to_string())
    };
    found.iter().map(finding).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Level;

    #[test]
    fn each_advisory_names_one_release_that_mends_all() {
        let findings = of_security(Release::of(15, 5, 6), "pnpm");
        assert!(findings.len() > 3, "{findings:?}");
        for finding in &findings {
            assert_eq!(finding.cure.as_deref(), Some("pnpm add next@15.5.27, or newer"));
        }
        assert_eq!(findings.iter().filter(|found| found.level == Level::Problem).count(), 1);
        let clean = of_security(Release::of(16, 4, 5), "npm");
        assert_eq!(clean.iter().map(|found| found.level).collect::<Vec<_>>(), [Level::Ok]);
    }
}
