//! The modules of a crate, as its files declare them, and which of them names which. Code for tests
//! alone is left out: a test may reach for anything.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A module by its names from the root of the crate on; the root itself has none.
pub(crate) type Module = Vec<String>;

/// What a crate's files say of each other.
pub(crate) struct Modules {
    files: BTreeMap<Module, Source>,
}

/// One file.
struct Source {
    /// The names that it imports, each with what it is there. The last one is the name itself.
    imports: BTreeMap<String, Vec<String>>,
    /// Modules of which everything is imported.
    globs: Vec<Vec<String>>,
    /// Every path that it spells out, from the root of the crate on.
    paths: BTreeSet<Vec<String>>,
    /// The types that it declares for others.
    types: BTreeSet<String>,
}

impl Modules {
    /// Reads a crate from its root file on: `src/lib.rs` or `src/main.rs`.
    pub(crate) fn read(root: &Path) -> Self {
        let mut files = BTreeMap::new();
        let mut left = vec![(Module::new(), root.to_path_buf())];
        while let Some((module, file)) = left.pop() {
            let text = std::fs::read_to_string(&file).unwrap();
            let tokens: TokenStream = text.parse().unwrap();
            let tokens = without_tests(tokens);
            for child in children(&tokens) {
                let mut path = module.clone();
                path.push(child.clone());
                left.push((path, file_of(&file, &child)));
            }
            let mut source = Paths::in_module(&module).read(&tokens);
            types_for_others(&tokens, &mut source.types);
            files.insert(module, source);
        }
        Self { files }
    }

    /// Every module but the root.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Module> {
        self.files.keys().filter(|module| !module.is_empty())
    }

    /// The types that more than one file can name, each with its module.
    pub(crate) fn types(&self) -> impl Iterator<Item = (&str, &Module)> {
        let all = self.files.iter();
        all.flat_map(|(module, source)| source.types.iter().map(move |it| (it.as_str(), module)))
    }

    /// Which module names which: each pair once, without those of a module and what it is in.
    pub(crate) fn uses(&self) -> BTreeSet<(Module, Module)> {
        let mut uses = BTreeSet::new();
        for (module, source) in &self.files {
            let imported = source.imports.values().chain(&source.globs);
            for path in source.paths.iter().chain(imported) {
                if let Some(used) = self.home(path, 0) {
                    uses.insert((module.clone(), used));
                }
            }
        }
        uses.retain(|(user, used)| !user.starts_with(used) && !used.starts_with(user));
        uses
    }

    /// The module in which what a path names is at home, wherever it is imported again.
    fn home(&self, path: &[String], depth: usize) -> Option<Module> {
        let mut length = path.len();
        while !self.files.contains_key(path.get(..length)?) {
            length = length.checked_sub(1)?;
        }
        let (module, rest) = path.split_at(length);
        let source = self.files.get(module)?;
        // Two modules may import from each other; eight steps lead out of any that is meant.
        let again = rest.first().filter(|_| depth < 8).and_then(|name| {
            let import = source.imports.get(name)?;
            let mut path = import.clone();
            path.extend(rest.iter().skip(1).cloned());
            self.home(&path, depth + 1)
        });
        Some(again.unwrap_or_else(|| module.to_vec()))
    }
}

/// The file of a module that `file` declares.
fn file_of(file: &Path, child: &str) -> PathBuf {
    let stem = file.file_stem().unwrap().to_str().unwrap();
    let folder = match stem {
        "lib" | "main" | "mod" => file.parent().unwrap().to_path_buf(),
        stem => file.with_file_name(stem),
    };
    let plain = folder.join(format!("{child}.rs"));
    if plain.exists() {
        plain
    } else {
        folder.join(child).join("mod.rs")
    }
}

/// The modules that are declared with a file of their own.
fn children(tokens: &[TokenTree]) -> Vec<String> {
    let declared = tokens.windows(3).filter_map(|three| match three {
        [
            TokenTree::Ident(word),
            TokenTree::Ident(name),
            TokenTree::Punct(end),
        ] if *word == "mod" && end.as_char() == ';' => Some(name.to_string()),
        _ => None,
    });
    declared.collect()
}

/// The tokens without items under `#[cfg(test)]`.
fn without_tests(tokens: TokenStream) -> Vec<TokenTree> {
    let mut kept = Vec::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let attribute = match (&token, tokens.peek()) {
            (TokenTree::Punct(sign), Some(TokenTree::Group(group))) if sign.as_char() == '#' => {
                group.stream().to_string().replace(' ', "")
            }
            _ => String::new(),
        };
        if attribute != "cfg(test)" {
            kept.push(token);
            continue;
        }
        tokens.next();
        // Up to the end of the item: a semicolon, or braces, which in an import are not the end.
        let mut is_import = false;
        for token in tokens.by_ref() {
            match token {
                TokenTree::Ident(word) if word == "use" => is_import = true,
                TokenTree::Punct(sign) if sign.as_char() == ';' => break,
                TokenTree::Group(group) if group.delimiter() == Delimiter::Brace && !is_import => {
                    break;
                }
                _ => {}
            }
        }
    }
    kept
}

/// The names of the types with a `pub` of any reach, also in modules within the file.
fn types_for_others(tokens: &[TokenTree], types: &mut BTreeSet<String>) {
    const KINDS: [&str; 5] = ["struct", "enum", "union", "trait", "type"];
    for (at, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                types_for_others(&without_tests(group.stream()), types);
            }
            TokenTree::Ident(word) if *word == "pub" => {
                let mut rest = tokens.iter().skip(at + 1).peekable();
                rest.next_if(|token| matches!(token, TokenTree::Group(_)));
                if let Some(TokenTree::Ident(kind)) = rest.next()
                    && KINDS.iter().any(|it| kind == it)
                    && let Some(TokenTree::Ident(name)) = rest.next()
                {
                    types.insert(name.to_string());
                }
            }
            _ => {}
        }
    }
}

/// Finds the paths of one file.
struct Paths<'a> {
    module: &'a Module,
    source: Source,
}

impl<'a> Paths<'a> {
    fn in_module(module: &'a Module) -> Self {
        let source = Source {
            imports: BTreeMap::new(),
            globs: Vec::new(),
            paths: BTreeSet::new(),
            types: BTreeSet::new(),
        };
        Self { module, source }
    }

    fn read(mut self, tokens: &[TokenTree]) -> Source {
        self.walk(tokens);
        self.source
    }

    fn walk(&mut self, tokens: &[TokenTree]) {
        let mut at = 0;
        let mut before = None;
        while let Some(token) = tokens.get(at) {
            match token {
                TokenTree::Ident(word) if *word == "use" && !is_sign(tokens.get(at + 1), '<') => {
                    let end = tokens
                        .iter()
                        .skip(at)
                        .position(|token| is_sign(Some(token), ';'));
                    let end = end.map_or(tokens.len(), |length| at + length);
                    let tree = tokens.get(at + 1..end).unwrap_or_default();
                    self.import(tree, Vec::new());
                    at = end;
                }
                TokenTree::Ident(word)
                    if ["crate", "super"].iter().any(|it| word == it) && !is_sign(before, ':') =>
                {
                    let (path, _) = path(tokens.get(at..).unwrap_or_default());
                    self.source.paths.extend(self.absolute(&path));
                }
                // `module::item`, where the module is a child or was imported.
                TokenTree::Ident(_) if !is_sign(before, ':') => {
                    let (path, _) = path(tokens.get(at..).unwrap_or_default());
                    if path.len() > 1 {
                        let mut child = self.module.clone();
                        child.extend(path);
                        self.source.paths.insert(child);
                    }
                }
                TokenTree::Group(group) => {
                    let inside = without_tests(group.stream());
                    self.walk(&inside);
                }
                _ => {}
            }
            before = tokens.get(at);
            at += 1;
        }
    }

    /// Takes in what `use` names: a path that ends in a name, a new name, everything, or a group.
    fn import(&mut self, tree: &[TokenTree], prefix: Vec<String>) {
        let (path, length) = path(tree);
        let mut whole = prefix;
        whole.extend(path);
        match tree.get(length..).unwrap_or_default() {
            [.., TokenTree::Group(group)] => {
                let inside: Vec<TokenTree> = group.stream().into_iter().collect();
                for tree in inside.split(|token| is_sign(Some(token), ',')) {
                    if !tree.is_empty() {
                        self.import(tree, whole.clone());
                    }
                }
            }
            [.., TokenTree::Punct(sign)] if sign.as_char() == '*' => {
                self.source.globs.extend(self.absolute(&whole));
            }
            [TokenTree::Ident(word), TokenTree::Ident(name)] if *word == "as" => {
                self.import_as(name.to_string(), &whole);
            }
            _ => {
                if whole.last().is_some_and(|last| last == "self") {
                    whole.pop();
                }
                if let Some(name) = whole.last().cloned() {
                    self.import_as(name, &whole);
                }
            }
        }
    }

    fn import_as(&mut self, name: String, path: &[String]) {
        if let Some(path) = self.absolute(path) {
            self.source.imports.insert(name, path);
        }
    }

    /// A path from the root of the crate on; `None` for one of another crate.
    fn absolute(&self, path: &[String]) -> Option<Vec<String>> {
        let mut from = self.module.clone();
        let mut rest = path;
        match rest.first()?.as_str() {
            "crate" => {
                from.clear();
                rest = rest.get(1..)?;
            }
            "self" => rest = rest.get(1..)?,
            _ => {}
        }
        while let Some((_, inner)) = rest.split_first().filter(|(first, _)| *first == "super") {
            from.pop()?;
            rest = inner;
        }
        from.extend(rest.iter().cloned());
        Some(from)
    }
}

/// The names at the beginning that are joined by `::`, and how many tokens they are.
fn path(tokens: &[TokenTree]) -> (Vec<String>, usize) {
    let (mut names, mut at) = (Vec::new(), 0);
    while let Some(TokenTree::Ident(name)) = tokens.get(at) {
        names.push(name.to_string());
        at += 1;
        if !(is_sign(tokens.get(at), ':') && is_sign(tokens.get(at + 1), ':')) {
            break;
        }
        at += 2;
    }
    (names, at)
}

fn is_sign(token: Option<&TokenTree>, sign: char) -> bool {
    matches!(token, Some(TokenTree::Punct(it)) if it.as_char() == sign)
}
