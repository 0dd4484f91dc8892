//! What the application's own `dev` script adds to `next dev`.

/// Options of `next dev` that say where to listen, each followed by a value.
const ADDRESS: [&str; 4] = ["-p", "--port", "-H", "--hostname"];

/// Begins options by which `next dev` would speak TLS, which ends at the gateway.
const HTTPS: &str = "--experimental-https";

/// The options that a script such as `next dev --webpack -p 4000` gives, without those that are
/// the gateway's affair.
///
/// They matter: without `--webpack`, Next.js 16 refuses an application that configures webpack.
/// Commands before and behind are not run, and at the first word that a shell would change the
/// reading ends.
pub(crate) fn options_of(script: &str) -> Vec<String> {
    let mut words = script.split_whitespace().skip_while(|word| *word != "next");
    if words.by_ref().take(2).ne(["next", "dev"]) {
        return Vec::new();
    }
    let mut words = words.take_while(|word| !word.contains(is_special));
    let mut options = Vec::new();
    while let Some(word) = words.next() {
        let has_value_behind = ADDRESS.contains(&word) || word.starts_with("--experimental-https-");
        if has_value_behind && !word.contains('=') {
            words.next();
        } else if !is_address_with_value(word) && !word.starts_with(HTTPS) {
            options.push(word.to_owned());
        }
    }
    options
}

fn is_special(character: char) -> bool {
    "&|;<>()$`'\"\\*?#~".contains(character)
}

/// `-p4000`, `--port=4000`.
fn is_address_with_value(word: &str) -> bool {
    let name = word.split_once('=').map_or(word, |(name, _)| name);
    ADDRESS.iter().any(|option| match option.strip_prefix("--") {
        Some(_) => name == *option,
        None => word.starts_with(option),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(script: &str, expected: &str) {
        assert_eq!(options_of(script).join(" "), expected);
    }

    #[test]
    fn options_of_next_dev_are_kept() {
        check("next dev", "");
        check("next dev --webpack --inspect", "--webpack --inspect");
        check("NODE_OPTIONS=--inspect next dev --turbopack", "--turbopack");
        check("npm run generate && next dev --turbopack", "--turbopack");
    }

    #[test]
    fn where_it_listens_is_the_gateways_affair() {
        check("next dev -p 4000 --webpack", "--webpack");
        check("next dev --port 4000 -H 0.0.0.0 --webpack", "--webpack");
        check("next dev -p4000 --port=4000 --hostname=x --webpack", "--webpack");
        check("next dev --experimental-https --webpack", "--webpack");
        check("next dev --experimental-https-key ./key.pem --webpack", "--webpack");
    }

    #[test]
    fn what_a_shell_would_change_ends_the_options() {
        check("next dev --webpack & node api.js", "--webpack");
        check("next dev --webpack | pretty --all", "--webpack");
        check("next dev $FLAGS --webpack", "");
    }

    #[test]
    fn another_script_has_none() {
        check("node server.js", "");
        check("next start --keepAliveTimeout 70000", "");
        check("concurrently \"next dev --webpack\" \"node api.js\"", "");
    }
}
