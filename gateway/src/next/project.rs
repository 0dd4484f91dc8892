//! Where the Next.js application is.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::NextError;
use crate::next::dev_script::options_of;
use crate::next::manifest::Manifest;

/// The folder of an application that depends on `next`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    folder: PathBuf,
    dev_options: Vec<String>,
}

impl Project {
    /// Finds the application: `explicit` as given, or else the first folder from `working_folder`
    /// upwards that holds a `frontend/` depending on `next`, or itself depends on it.
    ///
    /// A damaged `package.json` on the way is an error, because the application meant is probably
    /// that one.
    pub fn find(explicit: Option<&Path>, working_folder: &Path) -> Result<Self, NextError> {
        match explicit {
            Some(folder) => Self::at(&working_folder.join(folder)),
            None => Self::upwards_from(working_folder),
        }
    }

    /// The application's folder, absolute and without symbolic links.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where `dev` keeps its state unless told otherwise: `.nextbnb/` beside an application whose
    /// folder is called `frontend`, and inside any other.
    ///
    /// It depends on the folder's name and not on how it was found, so that the same application
    /// has the same accounts whichever folder `dev` is started from.
    pub fn default_state_dir(&self) -> PathBuf {
        let holder = match self.folder.parent() {
            Some(parent) if self.folder.ends_with("frontend") => parent,
            _ => &self.folder,
        };
        holder.join(".nextbnb")
    }

    /// The options that the application's own `dev` script gives `next dev`.
    pub fn dev_options(&self) -> &[String] {
        &self.dev_options
    }

    /// Finds the installed `next` command as Node.js resolves packages: in `node_modules` of the
    /// application's folder or of any folder above (workspaces install it there).
    pub(crate) fn find_next(&self) -> Option<PathBuf> {
        self.folder
            .ancestors()
            .map(|level| level.join("node_modules/next/dist/bin/next"))
            .find(|command| command.is_file())
    }

    /// The version of the installed `next`, where it tells.
    pub fn next_version(&self) -> Option<String> {
        let package = self.find_next()?.ancestors().nth(3)?.join("package.json");
        let manifest = fs::read(package).ok()?;
        let manifest: serde_json::Value = serde_json::from_slice(&manifest).ok()?;
        manifest.get("version")?.as_str().map(str::to_owned)
    }

    fn at(folder: &Path) -> Result<Self, NextError> {
        let folder = canonical(folder)?;
        match find_manifest(&folder)? {
            None => Err(NextError::NoManifest { folder }),
            Some(manifest) if manifest.depends_on_next() => Ok(Self::of(folder, &manifest)),
            Some(_) => Err(NextError::NotNext { folder }),
        }
    }

    fn upwards_from(working_folder: &Path) -> Result<Self, NextError> {
        let working_folder = canonical(working_folder)?;
        for level in working_folder.ancestors() {
            for folder in [level.join("frontend"), level.to_path_buf()] {
                match find_manifest(&folder)? {
                    Some(manifest) if manifest.depends_on_next() => {
                        return Ok(Self::of(folder, &manifest));
                    }
                    _ => {}
                }
            }
        }
        Err(NextError::NoFrontend { working_folder })
    }

    fn of(folder: PathBuf, manifest: &Manifest) -> Self {
        Self { folder, dev_options: options_of(manifest.dev_script()) }
    }
}

fn canonical(folder: &Path) -> Result<PathBuf, NextError> {
    fs::canonicalize(folder)
        .map_err(|source| NextError::FrontendFolder { path: folder.to_path_buf(), source })
}

fn find_manifest(folder: &Path) -> Result<Option<Manifest>, NextError> {
    Manifest::find(folder)
        .map_err(|source| NextError::Manifest { path: folder.join("package.json"), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEXT: &str = r#"{"dependencies": {"next": "16.4.5"}}"#;

    struct Tree(tempfile::TempDir);

    impl Tree {
        fn with(files: &[(&str, &str)]) -> Self {
            let tree = Self(tempfile::tempdir().unwrap());
            for (path, text) in files {
                let path = tree.path(path);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, text).unwrap();
            }
            tree
        }

        fn path(&self, path: &str) -> PathBuf {
            self.0.path().canonicalize().unwrap().join(path)
        }

        fn find_from(&self, working_folder: &str) -> Result<Project, NextError> {
            fs::create_dir_all(self.path(working_folder)).unwrap();
            Project::find(None, &self.path(working_folder))
        }

        fn find_named(&self, explicit: &str) -> Result<Project, NextError> {
            Project::find(Some(Path::new(explicit)), &self.path(""))
        }

        #[track_caller]
        fn check_from(&self, working_folder: &str, expected: &str) {
            let found = self.find_from(working_folder).unwrap();
            assert_eq!(found.folder(), self.path(expected).components().as_path());
        }
    }

    #[test]
    fn the_frontend_folder_is_found_from_every_folder_below_its_holder() {
        let tree = Tree::with(&[("frontend/package.json", NEXT)]);
        tree.check_from("", "frontend");
        tree.check_from("gateway/src", "frontend");
        tree.check_from("frontend/app", "frontend");
    }

    #[test]
    fn an_application_of_any_name_is_found_from_within() {
        let tree = Tree::with(&[("shop/package.json", NEXT), ("frontend/package.json", NEXT)]);
        tree.check_from("shop/app", "shop");
    }

    #[test]
    fn a_frontend_without_next_is_passed_over() {
        let tree = Tree::with(&[("package.json", NEXT), ("a/frontend/package.json", "{}")]);
        tree.check_from("a/frontend", "");
    }

    #[test]
    fn next_among_the_development_dependencies_counts() {
        let tree = Tree::with(&[("package.json", r#"{"devDependencies": {"next": "16"}}"#)]);
        tree.check_from("", "");
    }

    #[test]
    fn a_byte_order_mark_is_no_damage() {
        let tree = Tree::with(&[("package.json", &format!("\u{feff}{NEXT}"))]);
        tree.check_from("", "");
    }

    #[test]
    fn what_was_looked_for_and_where_is_said() {
        let tree = Tree::with(&[]);
        let message = tree.find_from("empty").unwrap_err().to_string();
        assert!(message.contains("frontend/package.json"), "{message}");
        assert!(message.contains(tree.path("empty").to_str().unwrap()), "{message}");
        assert!(message.contains("--frontend"), "{message}");
    }

    #[test]
    fn each_unusable_folder_has_its_own_message() {
        let tree = Tree::with(&[
            ("empty/readme", ""),
            ("damaged/package.json", "{"),
            ("other/package.json", r#"{"dependencies": {"vite": "7"}}"#),
            ("file", ""),
        ]);
        let find = |folder| tree.find_named(folder).unwrap_err();
        assert!(matches!(find("missing"), NextError::FrontendFolder { .. }));
        assert!(matches!(find("empty"), NextError::NoManifest { .. }));
        assert!(matches!(find("file"), NextError::NoManifest { .. }));
        assert!(matches!(find("damaged"), NextError::Manifest { .. }));
        assert!(matches!(find("other"), NextError::NotNext { .. }));
    }

    #[test]
    fn a_damaged_manifest_on_the_way_up_is_not_passed_over() {
        let tree = Tree::with(&[("package.json", NEXT), ("frontend/package.json", "{")]);
        assert!(matches!(tree.find_from(""), Err(NextError::Manifest { .. })));
    }

    #[test]
    fn state_lies_beside_a_frontend_folder_and_inside_any_other() {
        let tree = Tree::with(&[("frontend/package.json", NEXT), ("shop/package.json", NEXT)]);
        let state_dir = |folder| tree.find_named(folder).unwrap().default_state_dir();
        assert_eq!(state_dir("frontend"), tree.path(".nextbnb"));
        assert_eq!(state_dir("shop/../frontend/."), tree.path(".nextbnb"));
        assert_eq!(state_dir("shop"), tree.path("shop/.nextbnb"));
    }

    #[test]
    fn the_options_of_the_dev_script_are_known() {
        let manifest = r#"{"dependencies":{"next":"16"},"scripts":{"dev":"next dev --webpack"}}"#;
        let tree = Tree::with(&[("package.json", manifest)]);
        assert_eq!(tree.find_named("").unwrap().dev_options(), ["--webpack"]);
    }

    #[test]
    fn next_installed_further_up_is_found() {
        let tree = Tree::with(&[
            ("packages/shop/package.json", NEXT),
            ("node_modules/next/dist/bin/next", ""),
        ]);
        let project = tree.find_named("packages/shop").unwrap();
        assert_eq!(project.find_next(), Some(tree.path("node_modules/next/dist/bin/next")));
    }
}
