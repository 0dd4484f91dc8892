//! The Next.js application, what runs it, and what is known of its release.

use std::path::{Path, PathBuf};

use super::{Finding, next_release};
use crate::config::doctor::FrontendSubject;
use crate::error::{NextError, chain};
use crate::next::config_file::{ConfigFile, find_before_pages};
use crate::next::installation::Installation;
use crate::next::node::Node;
use crate::next::package_manager::PackageManager;
use crate::next::project::Project;

/// What Next.js reads of a body before `proxy.ts`, unless told otherwise: 10 MB
/// (`proxyClientMaxBodySize`).
const BODY_BEFORE_PAGES: u64 = 10 * 1024 * 1024;

/// Looks at the application, where there is one.
pub(super) async fn look(subject: &FrontendSubject) -> Vec<Finding> {
    let project = match &subject.project {
        Ok(project) => project,
        Err(NextError::NoFrontend { .. }) => return vec![none()],
        Err(error) => return vec![unusable(error)],
    };
    let folder = project.folder();
    let what = format!("a Next.js application in {}", folder.display());
    let mut findings = vec![Finding::ok("frontend", what).fact("folder", text_of(folder))];
    findings.push(node(project).await);
    findings.push(packages(project, &subject.search_path));
    findings.extend(next_release::look(project));
    let config = ConfigFile::read(folder);
    findings.push(next_config(&config));
    let before = find_before_pages(folder);
    findings.extend(before.map(|file| body_limit(&file, &config, subject.max_body)));
    findings
}

fn none() -> Finding {
    Finding::ok("frontend", "no Next.js application here or above: not looked at")
        .why("`serve` needs none on its machine; `dev` does")
        .cure("--frontend DIR names its folder")
}

fn unusable(error: &NextError) -> Finding {
    Finding::problem("frontend", chain(error))
        .why("`dev` does not start")
        .cure("mend what the message names, or name another folder with --frontend DIR")
}

fn text_of(path: &Path) -> String {
    path.display().to_string()
}

async fn node(project: &Project) -> Finding {
    match Node::find(project).await {
        Ok(node) => {
            let what = format!("{} at {}", node.version(), node.executable().display());
            Finding::ok("node", what).fact("version", node.version())
        }
        Err(error) => Finding::problem("node", chain(&error))
            .why("`dev` starts no Next.js without it")
            .cure("install Node.js 20.9 or newer: https://nodejs.org"),
    }
}

/// Whether what the application depends on is there, and who would fetch it. The program is looked
/// for and not run: some fetch themselves first.
fn packages(project: &Project, search_path: &[PathBuf]) -> Finding {
    let (manager, _) = PackageManager::of(project.folder());
    let program = manager.program;
    let is_there = search_path.iter().any(|folder| folder.join(program).is_file());
    let finding = match Installation::needed(project) {
        Some(installation) if is_there => {
            let folder = installation.folder().display();
            Finding::warning("packages", installation.reason())
                .why("`dev` installs them first; `next build` and `next start` do not")
                .cure(format!("cd {folder} && {}", installation.command()))
        }
        Some(installation) => {
            let what = format!("{}, and there is no {program} in PATH", installation.reason());
            Finding::problem("packages", what)
                .why("`dev` does not start")
                .cure(format!("install {program}"))
        }
        None if is_there => Finding::ok("packages", format!("installed; {program} is there")),
        None => Finding::ok(
            "packages",
            format!("installed; {program}, whose lock file is there, is not in PATH"),
        ),
    };
    finding.fact("program", program)
}

fn next_config(config: &ConfigFile) -> Finding {
    let Some(file) = &config.file else {
        return Finding::ok("next-config", "no next.config: all as Next.js has it by default");
    };
    let mut seen = Vec::new();
    if config.is_standalone {
        seen.push(
            "standalone output: run `HOSTNAME=127.0.0.1 PORT=3001 node server.js`".to_owned(),
        );
    }
    if let Some(base_path) = &config.base_path {
        seen.push(format!("basePath {base_path}: no built file is kept in memory"));
    }
    if config.is_uncompressed {
        seen.push("compress is off: answers go out as large as they are".to_owned());
    }
    let seen =
        if seen.is_empty() { "nothing that matters here".to_owned() } else { seen.join("; ") };
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    Finding::ok("next-config", format!("{name}, read and not run: {seen}"))
        .fact("standalone", config.is_standalone)
        .fact("base_path", config.base_path.clone())
}

/// A body that Next.js cuts reaches the application short, without an error.
fn body_limit(before: &Path, config: &ConfigFile, max_body: Option<u64>) -> Finding {
    const ID: &str = "body-limit";
    let name = before.file_name().unwrap_or_default().to_string_lossy();
    let finding = match max_body {
        Some(bytes) if bytes <= BODY_BEFORE_PAGES => {
            Finding::ok(ID, format!("{name}, and bodies over {bytes} bytes get 413"))
        }
        _ if config.has_body_limit => {
            Finding::ok(ID, format!("{name}, and next.config says how much of a body it sees"))
                .cure("give --max-body the same size, so that a larger body gets 413")
        }
        _ => Finding::warning(ID, format!("{name} runs before pages, and bodies have no limit below 10 MB"))
            .why(
                "Next.js then cuts a body at 10 MB without an error, so that an upload arrives damaged; \
                 releases of before the end of 2025 hold all of it in memory instead",
            )
            .cure("--max-body 10MiB, or proxyClientMaxBodySize in next.config and --max-body of that size"),
    };
    finding.fact("file", text_of(before)).fact("max_body", max_body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Level;

    #[test]
    fn a_body_is_to_be_refused_before_next_js_cuts_it() {
        let (plain, own) =
            (ConfigFile::default(), ConfigFile { has_body_limit: true, ..ConfigFile::default() });
        let level = |config, max_body| body_limit(Path::new("/a/proxy.ts"), config, max_body).level;
        assert_eq!(level(&plain, None), Level::Warning);
        assert_eq!(level(&plain, Some(BODY_BEFORE_PAGES)), Level::Ok);
        assert_eq!(level(&plain, Some(BODY_BEFORE_PAGES + 1)), Level::Warning);
        assert_eq!(level(&own, None), Level::Ok);
    }
}
