//! The gateway as a program of its own.

use std::path::PathBuf;
use std::sync::Once;

use crate::next::cargo;

/// The program, built once; where cargo puts it, beside the folder of this test.
pub fn gateway_binary() -> PathBuf {
    static BUILT: Once = Once::new();
    BUILT.call_once(|| assert!(cargo("build").status().unwrap().success()));
    let test = std::env::current_exe().unwrap();
    test.parent().unwrap().with_file_name("nextbnb-gateway")
}
