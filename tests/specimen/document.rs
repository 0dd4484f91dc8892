//! `docs/from-express.md`, block by block.

use std::fs;

use nextbnb_tests::next::repository;

const FILE: &str = "docs/from-express.md";

/// The document's blocks of commands; each is taken once, and none may be left.
pub(crate) struct Document {
    blocks: Vec<Block>,
}

struct Block {
    heading: String,
    commands: Vec<String>,
}

impl Document {
    pub(crate) fn read() -> Self {
        Self { blocks: blocks(&fs::read_to_string(repository().join(FILE)).unwrap()) }
    }

    /// The commands of the next block under a heading that begins so.
    #[track_caller]
    pub(crate) fn block(&mut self, heading: &str) -> Vec<String> {
        let is_meant = |block: &Block| block.heading.starts_with(heading);
        let next = self.blocks.iter().position(is_meant);
        self.blocks
            .remove(next.unwrap_or_else(|| panic!("{FILE}: no block under {heading}")))
            .commands
    }

    /// Leaves the blocks under a heading to a program that asks for them by it.
    #[track_caller]
    pub(crate) fn runs_elsewhere(&mut self, heading: &str, program: &str) {
        let text = fs::read_to_string(repository().join(program)).unwrap();
        assert!(text.contains(&format!("document '{heading}'")), "{program} runs no {heading}");
        self.blocks.retain(|block| block.heading != heading);
    }

    /// Fails where there are commands that no test took.
    #[track_caller]
    pub(crate) fn has_no_more(&self) {
        let left =
            self.blocks.iter().map(|block| format!("{}: {:?}", block.heading, block.commands));
        let left: Vec<String> = left.collect();
        assert!(left.is_empty(), "{FILE}: no test runs {}", left.join("\n"));
    }
}

/// One command a line; a line that ends in `\` goes on in the next.
fn blocks(text: &str) -> Vec<Block> {
    let (mut heading, mut blocks, mut in_block) = (String::new(), Vec::new(), false);
    for line in text.replace("\\\n", "").lines() {
        match (line, blocks.last_mut()) {
            ("```", _) => in_block = false,
            ("```sh", _) => {
                in_block = true;
                blocks.push(Block { heading: heading.clone(), commands: Vec::new() });
            }
            (command, Some(Block { commands, .. })) if in_block => {
                commands.push(command.split_whitespace().collect::<Vec<_>>().join(" "));
            }
            (line, _) => {
                if let Some(words) = line.strip_prefix("## ") {
                    words.clone_into(&mut heading);
                }
            }
        }
    }
    blocks
}

#[test]
fn a_block_that_no_test_takes_is_found() {
    let text = "## A. One\n```sh\na \\\n    b\nc\n```\n## Two\n```sh\nd\n```\n";
    let mut document = Document { blocks: blocks(text) };
    assert_eq!(document.block("A."), ["a b", "c"]);
    assert!(std::panic::catch_unwind(|| document.has_no_more()).is_err());
    assert_eq!(document.block("Two"), ["d"]);
    document.has_no_more();
}
