//! Sites in Rust code, found by a walk over its syntax tree.
//!
//! Left alone: tests, constants (a switch cannot stand there), patterns, types, what is printed or says what went wrong.

use std::ops::Range;

use proc_macro2::{TokenStream, TokenTree};
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, Expr, Lit};

use crate::{literal, rules};
use crate::site::Form;
use crate::wgsl::{self, Braces};

/// A change to some bytes of a file.
pub struct Change {
    pub form: Form,
    pub range: Range<usize>,
    pub mutated: String,
    pub rule: &'static str,
}

/// All changes of a file. `shaders`: whether its strings hold shader text.
pub fn changes(text: &str, shaders: bool) -> syn::Result<Vec<Change>> {
    let file = syn::parse_file(text)?;
    let mut walk = Walk { text, shaders, out: Vec::new() };
    walk.visit_file(&file);
    Ok(walk.out)
}

/// The modules of a file that are only there in tests.
pub fn test_modules(text: &str) -> syn::Result<Vec<String>> {
    let items = syn::parse_file(text)?.items.into_iter();
    let modules = items.filter_map(|item| match item {
        syn::Item::Mod(module) if module.content.is_none() && is_test(&module.attrs) => Some(module.ident.to_string()),
        _ => None,
    });
    Ok(modules.collect())
}

struct Walk<'a> {
    text: &'a str,
    shaders: bool,
    out: Vec<Change>,
}

impl Walk<'_> {
    fn text_of(&self, node: &impl Spanned) -> &str {
        &self.text[node.span().byte_range()]
    }

    fn add(&mut self, whole: &impl Spanned, mutated: String, rule: &'static str) {
        self.out.push(Change { form: Form::Rust, range: whole.span().byte_range(), mutated, rule });
    }

    /// The whole with some of its parts replaced.
    fn splice(&self, whole: &impl Spanned, mut parts: Vec<(Range<usize>, String)>) -> String {
        parts.sort_by_key(|(range, _)| range.start);
        let whole = whole.span().byte_range();
        let (mut out, mut at) = (String::new(), whole.start);
        for (range, text) in parts {
            out += &self.text[at..range.start];
            out += &text;
            at = range.end;
        }
        out + &self.text[at..whole.end]
    }

    fn replace(&mut self, whole: &impl Spanned, part: &impl Spanned, by: &str, rule: &'static str) {
        let mutated = self.splice(whole, vec![(part.span().byte_range(), by.to_string())]);
        self.add(whole, mutated, rule);
    }

    fn swap(&mut self, whole: &impl Spanned, a: &impl Spanned, b: &impl Spanned) {
        let (x, y) = (self.text_of(a).to_string(), self.text_of(b).to_string());
        if x != y {
            let mutated = self.splice(whole, vec![(a.span().byte_range(), y), (b.span().byte_range(), x)]);
            self.add(whole, mutated, "arguments swapped");
        }
    }

    fn sites_of(&mut self, e: &Expr) {
        match e {
            Expr::Binary(b) => {
                let sign = self.text_of(&b.op).to_string();
                for (_, to) in rules::OPERATORS.iter().filter(|(from, _)| *from == sign) {
                    self.replace(e, &b.op, to, "operator");
                }
                if sign.len() > 1 && sign.ends_with('=') && !["==", "!=", "<=", ">="].contains(&sign.as_str()) {
                    self.add(e, "()".into(), "statement removed");
                }
            }
            Expr::Unary(u) if !matches!(u.op, syn::UnOp::Deref(_)) => {
                let operand = self.text_of(&u.expr).to_string();
                self.add(e, operand, "negation dropped");
            }
            Expr::Lit(l) => match &l.lit {
                Lit::Int(_) | Lit::Float(_) => {
                    for to in literal::others(self.text_of(l)) {
                        self.add(e, to, "constant");
                    }
                }
                Lit::Bool(b) => self.add(e, (!b.value).to_string(), "constant"),
                Lit::Str(s) => self.shader_text(s, Braces::Plain),
                _ => {}
            },
            Expr::If(i) if !has_let(&i.cond) => {
                let mutated = format!("!({})", self.text_of(&i.cond));
                self.add(&i.cond, mutated, "condition turned");
            }
            Expr::Range(r) => {
                if let Some(end) = &r.end {
                    let text = self.text_of(end).to_string();
                    for by in ["+", "-"] {
                        self.add(end, format!("({text}) {by} 1"), "end of range");
                    }
                }
            }
            Expr::MethodCall(call) => self.method(e, call),
            Expr::Call(call) => self.call(e, call),
            _ => {}
        }
    }

    fn method(&mut self, e: &Expr, call: &syn::ExprMethodCall) {
        let (name, count) = (call.method.to_string(), call.args.len());
        for (_, _, to) in rules::METHODS.iter().filter(|(from, args, _)| *from == name && *args == count) {
            self.replace(e, &call.method, to, "call");
        }
        if rules::DROPPED.contains(&(&name, count)) {
            let mutated = self.text_of(&call.receiver).to_string();
            self.add(e, mutated, "call dropped");
        }
        if rules::SWAPPED.contains(&name.as_str()) && count == 2 {
            self.swap(e, &call.args[0], &call.args[1]);
        }
        // a.less(b)
        if let ("call", Some(func), Some(Expr::Reference(args))) = (name.as_str(), call.args.first(), call.args.get(1))
        {
            let func_name = self.text_of(func).trim_start_matches("Func::").to_string();
            for (_, to) in rules::FUNCS.iter().filter(|(from, _)| *from == func_name) {
                self.replace(e, func, &format!("Func::{to}"), "function");
            }
            if let Expr::Array(array) = &*args.expr {
                for (_, a, b) in rules::FUNCS_SWAPPED.iter().filter(|(name, ..)| *name == func_name) {
                    if let (Some(a), Some(b)) = (array.elems.get(*a), array.elems.get(*b)) {
                        self.swap(e, a, b);
                    }
                }
            }
        }
    }

    fn call(&mut self, e: &Expr, call: &syn::ExprCall) {
        let name = self.text_of(&call.func).to_string();
        for (_, to) in rules::FUNCTIONS.iter().filter(|(from, _)| *from == name) {
            self.replace(e, &call.func, to, "call");
        }
    }

    /// Marks the tokens of a string that holds shader text.
    fn shader_text(&mut self, literal: &syn::LitStr, braces: Braces) {
        let range = literal.span().byte_range();
        let inside = &self.text[range.clone()];
        if !self.shaders || !inside.starts_with('"') || !inside.is_ascii() {
            return;
        }
        let inside = &inside[1..inside.len() - 1];
        for (part, mutated, rule) in wgsl::changes(inside, braces) {
            let range = range.start + 1 + part.start..range.start + 1 + part.end;
            self.out.push(Change { form: Form::Wgsl, range, mutated, rule });
        }
    }

    /// What of a macro's arguments can be read as expressions.
    fn macro_arguments(&mut self, mac: &syn::Macro) {
        let name = mac.path.segments.last().map(|s| s.ident.to_string()).unwrap_or_default();
        let is_text = rules::TEXT_MACROS.contains(&name.as_str());
        if rules::QUIET_MACROS.contains(&name.as_str()) || is_text && !self.shaders {
            return;
        }
        let mut pieces = vec![TokenStream::new()];
        for token in mac.tokens.clone() {
            match token {
                TokenTree::Punct(p) if matches!(p.as_char(), ';' | ',') => pieces.push(TokenStream::new()),
                token => pieces.last_mut().expect("there is one").extend([token]),
            }
        }
        for piece in pieces {
            match syn::parse2::<Expr>(piece) {
                Ok(Expr::Lit(syn::ExprLit { lit: Lit::Str(text), .. })) if is_text => {
                    self.shader_text(&text, Braces::Format)
                }
                // `name = value`, of a format string or a loop.
                Ok(Expr::Assign(a)) => self.visit_expr(&a.right),
                Ok(e) => self.visit_expr(&e),
                Err(_) => {}
            }
        }
    }

    /// Of constants, only shader text: what is one whole, or what a call of `Inline` holds.
    fn constant(&mut self, value: &Expr) {
        if let Expr::Lit(syn::ExprLit { lit: Lit::Str(text), .. }) = value {
            self.shader_text(text, Braces::Plain);
        }
        let mut inline = Inline(Vec::new());
        inline.visit_expr(value);
        for text in inline.0 {
            self.shader_text(&text, Braces::Plain);
        }
    }
}

/// Finds the strings in `Source::Inline("…")`.
struct Inline(Vec<syn::LitStr>);

impl<'ast> Visit<'ast> for Inline {
    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        if let (Expr::Path(path), Some(Expr::Lit(syn::ExprLit { lit: Lit::Str(text), .. }))) =
            (&*call.func, call.args.first())
            && path.path.segments.last().is_some_and(|s| s.ident == "Inline")
        {
            self.0.push(text.clone());
        }
        visit::visit_expr_call(self, call);
    }
}

impl<'ast> Visit<'ast> for Walk<'_> {
    fn visit_expr(&mut self, e: &'ast Expr) {
        self.sites_of(e);
        visit::visit_expr(self, e);
    }

    fn visit_item(&mut self, item: &'ast syn::Item) {
        let attrs = match item {
            syn::Item::Mod(i) => &i.attrs,
            syn::Item::Fn(i) => &i.attrs,
            syn::Item::Impl(i) => &i.attrs,
            _ => return visit::visit_item(self, item),
        };
        if !is_test(attrs) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_const(&mut self, item: &'ast syn::ItemConst) {
        self.constant(&item.expr);
    }

    fn visit_impl_item_const(&mut self, item: &'ast syn::ImplItemConst) {
        self.constant(&item.expr);
    }

    fn visit_item_static(&mut self, _: &'ast syn::ItemStatic) {}

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if item.sig.constness.is_none() {
            self.visit_block(&item.block);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if item.sig.constness.is_none() && !is_test(&item.attrs) {
            self.visit_block(&item.block);
        }
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        let of = item.trait_.as_ref().and_then(|(_, path, _)| path.segments.last()).map(|s| s.ident.to_string());
        if !matches!(of.as_deref(), Some("Display" | "Debug")) {
            item.items.iter().for_each(|item| self.visit_impl_item(item));
        }
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        self.visit_expr(&call.receiver);
        if !rules::QUIET_METHODS.contains(&call.method.to_string().as_str()) {
            call.args.iter().for_each(|arg| self.visit_expr(arg));
        }
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        let name = self.text_of(&call.func);
        if name != "Err" && !name.contains("Error::") {
            visit::visit_expr_call(self, call);
        }
    }

    fn visit_expr_repeat(&mut self, e: &'ast syn::ExprRepeat) {
        // The length of an array is a constant.
        self.visit_expr(&e.expr);
    }

    fn visit_macro(&mut self, mac: &'ast syn::Macro) {
        self.macro_arguments(mac);
    }

    fn visit_item_macro(&mut self, _: &'ast syn::ItemMacro) {}
    fn visit_expr_const(&mut self, _: &'ast syn::ExprConst) {}
    fn visit_type(&mut self, _: &'ast syn::Type) {}
    fn visit_pat(&mut self, _: &'ast syn::Pat) {}
    fn visit_generic_argument(&mut self, _: &'ast syn::GenericArgument) {}
    fn visit_attribute(&mut self, _: &'ast Attribute) {}
}

fn is_test(attrs: &[Attribute]) -> bool {
    attrs.iter().any(|a| match &a.meta {
        syn::Meta::Path(path) => path.is_ident("test"),
        syn::Meta::List(list) => {
            let inner = Punctuated::<syn::Meta, syn::Token![,]>::parse_terminated.parse2(list.tokens.clone());
            list.path.is_ident("cfg") && inner.is_ok_and(|inner| inner.iter().any(|m| m.path().is_ident("test")))
        }
        syn::Meta::NameValue(_) => false,
    })
}

fn has_let(e: &Expr) -> bool {
    match e {
        Expr::Let(_) => true,
        Expr::Binary(b) => has_let(&b.left) || has_let(&b.right),
        Expr::Paren(p) => has_let(&p.expr),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(text: &str) -> Vec<String> {
        let text = format!("fn f() {{ {text} }}");
        let all = changes(&text, true).expect("it is Rust").into_iter();
        all.map(|c| format!("{}>{}", &text[c.range], c.mutated)).collect()
    }

    #[test]
    fn code_that_changes() {
        assert_eq!(changed("a + b"), ["a + b>a - b"]);
        assert_eq!(changed("x += y;"), ["x += y>x -= y", "x += y>()"]);
        assert_eq!(changed("a.select(b, c)"), ["a.select(b, c)>a.select(c, b)"]);
        assert_eq!(changed("a.detach()"), ["a.detach()>a"]);
        assert_eq!(
            changed("g.call(Func::Less, &[a, b])"),
            [
                "g.call(Func::Less, &[a, b])>g.call(Func::Sub, &[a, b])",
                "g.call(Func::Less, &[a, b])>g.call(Func::Less, &[b, a])"
            ]
        );
        assert_eq!(changed("lanes!(out; a = a; 1.0 * a)"), ["1.0 * a>1.0 / a", "1.0>2.0"]);
        assert_eq!(changed("if !a {}"), ["!a>!(!a)", "!a>a"]);
        assert_eq!(changed("format!(\"let i = {a} / 4u;\")"), ["/>*", "4u>5u", "4u>3u"]);
    }

    #[test]
    fn code_that_stays() {
        for text in [
            "assert!(a + b > 1);",
            "const A: f32 = 1.0;",
            "match a { 1 => b, _ => c }",
            "Err(a + 1)",
            "a.expect(\"a + b\")",
        ] {
            assert_eq!(changed(text).len(), 0, "{text}");
        }
        assert_eq!(changes("#[cfg(test)] mod tests { fn f() -> u8 { 1 + 2 } }", true).expect("it is Rust").len(), 0);
        assert_eq!(changes("const fn f() -> u8 { 1 + 2 }", true).expect("it is Rust").len(), 0);
    }
}
