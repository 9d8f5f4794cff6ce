//! Finds the modules of a crate, as its files declare them, and which
//! modules use which. Code for tests is left out: a test may use anything.

use std::collections::{BTreeMap, BTreeSet};
use std::iter::Peekable;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, Ident, Punct, Spacing, TokenStream, TokenTree};

/// The path of a module from the root of the crate; the root's is empty.
pub(crate) type Module = Vec<String>;

/// The modules of a crate.
pub(crate) struct Modules {
    sources: BTreeMap<Module, Source>,
    files: BTreeSet<PathBuf>,
}

/// A module: a file, or a module inside a file.
struct Source {
    /// The imported names, each with the paths that it means: two functions
    /// may import the same name, and `_` can be imported any number of times.
    imports: BTreeMap<String, BTreeSet<Vec<String>>>,
    /// The modules from which everything is imported.
    globs: Vec<Vec<String>>,
    /// All paths in the code, from the root of the crate.
    paths: BTreeSet<Vec<String>>,
    /// The types that other modules can use.
    types: BTreeSet<String>,
}

impl Modules {
    /// Reads a crate from its root file: `src/lib.rs` or `src/main.rs`.
    pub(crate) fn read(root: &Path) -> Self {
        let mut sources = BTreeMap::new();
        let mut files = BTreeSet::new();
        let mut left = vec![(Module::new(), root.to_path_buf())];
        while let Some((module, file)) = left.pop() {
            let text = std::fs::read_to_string(&file).unwrap();
            let tokens: TokenStream = text.parse().unwrap();
            let folder = folder_of_children(&file);
            read_module(module, &folder, tokens, &mut sources, &mut left);
            files.insert(file);
        }
        Self { sources, files }
    }

    /// The files of the modules.
    pub(crate) fn files(&self) -> &BTreeSet<PathBuf> {
        &self.files
    }

    /// Returns all modules except the root.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Module> {
        self.sources.keys().filter(|module| !module.is_empty())
    }

    /// Returns the types that other files can use, each with its module.
    pub(crate) fn types(&self) -> impl Iterator<Item = (&str, &Module)> {
        let all = self.sources.iter();
        all.flat_map(|(module, source)| source.types.iter().map(move |it| (it.as_str(), module)))
    }

    /// Returns which module uses which: each pair once, except pairs of a module and its ancestor.
    pub(crate) fn uses(&self) -> BTreeSet<(Module, Module)> {
        let mut uses = BTreeSet::new();
        for (module, source) in &self.sources {
            let imported = source.imports.values().flatten().chain(&source.globs);
            for path in source.paths.iter().chain(imported) {
                let mut named = BTreeSet::new();
                self.collect_named(path, 0, &mut named);
                uses.extend(named.into_iter().map(|used| (module.clone(), used)));
            }
        }
        uses.retain(|(user, used)| !user.starts_with(used) && !used.starts_with(user));
        uses
    }

    /// Returns the pairs of a module and another from which it imports everything.
    pub(crate) fn globs(&self) -> impl Iterator<Item = (&Module, &Module)> {
        self.sources.iter().flat_map(move |(module, source)| {
            let globs = source.globs.iter();
            globs.filter_map(move |glob| Some((module, self.sources.get_key_value(glob)?.0)))
        })
    }

    /// Collects the modules of a path: the one that it names, and those
    /// through which the item was imported, up to the one that defines it.
    fn collect_named(&self, path: &[String], depth: usize, named: &mut BTreeSet<Module>) {
        let spelled = (0..=path.len())
            .rev()
            .find(|length| self.sources.contains_key(&path[..*length]));
        // The root always matches. Two modules may import from each other,
        // so the depth is limited; eight steps are enough for any real path.
        let (module, rest) = path.split_at(spelled.unwrap());
        named.insert(module.to_vec());
        let Some((first, inner)) = rest.split_first().filter(|_| depth < 8) else {
            return;
        };
        for import in self.sources[module]
            .imports
            .get(first)
            .into_iter()
            .flatten()
        {
            let path: Vec<String> = import.iter().chain(inner).cloned().collect();
            self.collect_named(&path, depth + 1, named);
        }
    }
}

/// Reads a module and the modules inside its file; notes the files of other modules.
fn read_module(
    module: Module,
    folder: &Path,
    tokens: TokenStream,
    sources: &mut BTreeMap<Module, Source>,
    left: &mut Vec<(Module, PathBuf)>,
) {
    let tokens = without_tests(tokens);
    let child = |name: &Ident| -> Module {
        let name = name.to_string();
        module.iter().cloned().chain([name]).collect()
    };
    // The code of the module itself.
    let mut own = Vec::new();
    let mut rest = tokens.as_slice();
    while let Some((token, behind)) = rest.split_first() {
        match rest {
            [
                TokenTree::Ident(word),
                TokenTree::Ident(name),
                TokenTree::Punct(end),
                ..,
            ] if *word == "mod" && end.as_char() == ';' => {
                let file = file_of(folder, &name.to_string());
                left.push((child(name), file));
                rest = &rest[3..];
            }
            [
                TokenTree::Ident(word),
                TokenTree::Ident(name),
                TokenTree::Group(group),
                ..,
            ] if *word == "mod" && group.delimiter() == Delimiter::Brace => {
                let folder = folder.join(name.to_string());
                read_module(child(name), &folder, group.stream(), sources, left);
                rest = &rest[3..];
            }
            _ => {
                own.push(token.clone());
                rest = behind;
            }
        }
    }
    let mut source = Paths::in_module(&module).read(&own);
    types_for_others(&own, &mut source.types);
    sources.insert(module, source);
}

/// Returns the folder with the modules that a file declares.
fn folder_of_children(file: &Path) -> PathBuf {
    let stem = file.file_stem().unwrap().to_str().unwrap();
    match stem {
        "lib" | "main" | "mod" => file.parent().unwrap().to_path_buf(),
        stem => file.with_file_name(stem),
    }
}

fn file_of(folder: &Path, child: &str) -> PathBuf {
    let plain = folder.join(format!("{child}.rs"));
    if plain.exists() {
        plain
    } else {
        folder.join(child).join("mod.rs")
    }
}

/// Returns the tokens without items under `#[cfg(test)]`, also combined with other conditions.
pub(crate) fn without_tests(tokens: TokenStream) -> Vec<TokenTree> {
    let mut kept = Vec::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let attribute = match (&token, tokens.peek()) {
            (TokenTree::Punct(sign), Some(TokenTree::Group(group))) if sign.as_char() == '#' => {
                group.stream().to_string().replace(' ', "")
            }
            _ => String::new(),
        };
        if attribute != "cfg(test)" && !attribute.starts_with("cfg(all(test,") {
            kept.push(token);
            continue;
        }
        tokens.next();
        skip_one(&mut tokens);
    }
    kept
}

/// Skips an item and its attributes up to a semicolon or its braces, unless these are
/// part of an import or a value. Skips a field, a variant or an arm up to its comma.
fn skip_one(tokens: &mut Peekable<impl Iterator<Item = TokenTree>>) {
    const ITEMS: [&str; 15] = [
        "fn", "struct", "enum", "union", "mod", "impl", "use", "const", "static", "type", "trait",
        "let", "unsafe", "async", "extern",
    ];
    let (mut is_item, mut has_value) = (false, false);
    for token in tokens.by_ref() {
        match token {
            TokenTree::Ident(word) => {
                is_item |= ITEMS.iter().any(|item| word == item);
                has_value |= ["use", "static", "let"].iter().any(|item| word == item);
            }
            TokenTree::Punct(sign) => match sign.as_char() {
                ';' => return,
                ',' if !is_item => return,
                '=' => has_value = true,
                _ => {}
            },
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace && !has_value => {
                return;
            }
            _ => {}
        }
    }
}

/// Collects the names of types with any `pub`, also in modules inside the file.
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

/// Collects the paths of one file.
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
        while let Some(token) = tokens.get(at) {
            let before = |steps: usize| at.checked_sub(steps).and_then(|at| tokens.get(at));
            // A single colon precedes a type, two are part of a path.
            let is_inner = is_sign(before(1), ':') && is_sign(before(2), ':');
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
                    if ["crate", "super", "self"].iter().any(|it| word == it) && !is_inner =>
                {
                    let (path, _) = path(tokens.get(at..).unwrap_or_default());
                    self.source.paths.extend(self.absolute(&path));
                }
                // `module::item`, if the module is a child or was imported.
                TokenTree::Ident(_) if !is_inner => {
                    let (path, _) = path(tokens.get(at..).unwrap_or_default());
                    if path.len() > 1 {
                        let mut child = self.module.clone();
                        child.extend(path);
                        self.source.paths.insert(child);
                    }
                }
                TokenTree::Group(group) => {
                    let is_attribute =
                        group.delimiter() == Delimiter::Bracket && is_sign(before(1), '#');
                    let mut inside = without_tests(group.stream());
                    if is_attribute {
                        inside.extend(paths_in_strings(group.stream()));
                    }
                    self.walk(&inside);
                }
                _ => {}
            }
            at += 1;
        }
    }

    /// Collects what `use` names: a path that ends in a name, a new name, `*`, or a group.
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
            self.source.imports.entry(name).or_default().insert(path);
        }
    }

    /// Returns a path from the root of the crate; `None` for a path of another crate.
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

/// Returns the paths in an attribute's strings, as in `#[serde(with = "super::millis")]`.
fn paths_in_strings(tokens: TokenStream) -> Vec<TokenTree> {
    let mut found = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Group(group) => found.extend(paths_in_strings(group.stream())),
            TokenTree::Literal(literal) => {
                let text = literal.to_string();
                let text = text.trim_matches('"');
                let is_path = |c: char| c.is_alphanumeric() || "_:".contains(c);
                if text.contains("::") && text.chars().all(is_path) {
                    let path: TokenStream = text.parse().unwrap();
                    found.extend(path);
                    found.push(Punct::new(';', Spacing::Alone).into());
                }
            }
            _ => {}
        }
    }
    found
}

/// Returns the names at the beginning that are joined by `::`, and their number of tokens.
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
