//! `App` of the terminal UI only holds the features and routes
//! messages: it stays small, and no feature depends on it.

use std::collections::BTreeSet;
use std::path::Path;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::modules::Modules;

/// Number of methods of `App` at which features must take some over.
const TOO_MANY_METHODS: usize = 30;

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tui/src"))
}

#[test]
fn app_only_routes() {
    let mut sources = Vec::new();
    crate::collect(root(), &mut sources);
    let mut methods = Vec::new();
    for path in sources {
        let text = std::fs::read_to_string(&path).unwrap();
        methods.extend(methods_of("App", text.parse().unwrap()));
    }
    assert!(methods.len() > 10, "App was not found: {methods:?}");
    assert!(
        methods.len() < TOO_MANY_METHODS,
        "App has {} methods: give a feature its own. {methods:?}",
        methods.len()
    );
}

#[test]
fn only_what_drives_or_draws_the_whole_ui_knows_the_app() {
    let uses = Modules::read(&root().join("lib.rs")).uses();
    let outside = uses
        .iter()
        .filter(|(user, used)| used[0] == "app" && user[0] != "app");
    let users: BTreeSet<String> = outside.map(|(user, _)| user.join("::")).collect();
    let known = ["headless", "seat", "view"].map(str::to_owned);
    assert_eq!(users, BTreeSet::from(known));
}

#[test]
fn methods_are_counted_in_every_block_of_the_type_and_in_no_other() {
    let text =
        "impl App { fn one(&self) { fn inner() {} } pub(crate) async fn two<F: Fn()>(f: fn()) {} }
        mod deep { impl super::App { const fn three() {} } } impl Other { fn four() {} }
        impl From<App> for Other { fn five() {} } impl Clone for App { fn six() {} }
        impl<'a> App { fn seven() {} }";
    let methods = methods_of("App", text.parse().unwrap());
    assert_eq!(methods, ["one", "two", "three", "six", "seven"]);
}

/// Returns the names of the functions in every `impl` of a type in this file.
fn methods_of(name: &str, tokens: TokenStream) -> Vec<String> {
    let mut methods = Vec::new();
    // The tokens between `impl` and the braces, while they are being read.
    let mut head: Option<Vec<String>> = None;
    for token in tokens {
        match token {
            TokenTree::Ident(word) if word == "impl" => head = Some(Vec::new()),
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                let is_own = head.take().is_some_and(|head| is_of(name, &head));
                if is_own {
                    methods.extend(functions(group.stream()));
                } else {
                    methods.extend(methods_of(name, group.stream()));
                }
            }
            TokenTree::Punct(end) if end.as_char() == ';' => head = None,
            token => head
                .iter_mut()
                .for_each(|head| head.push(token.to_string())),
        }
    }
    methods
}

/// Returns whether the head of an `impl` is for the type: its
/// last word outside of any `<…>` must be the type's name.
fn is_of(name: &str, head: &[String]) -> bool {
    let target = head.iter().rposition(|word| word == "for");
    let target = &head[target.map_or(0, |at| at + 1)..];
    target.last().is_some_and(|last| last == name)
}

/// Returns the functions in an `impl`, without nested ones.
fn functions(tokens: TokenStream) -> Vec<String> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let named = tokens.windows(3).filter_map(|three| match three {
        [
            TokenTree::Ident(word),
            TokenTree::Ident(name),
            TokenTree::Group(_) | TokenTree::Punct(_),
        ] if *word == "fn" => Some(name.to_string()),
        _ => None,
    });
    named.collect()
}
