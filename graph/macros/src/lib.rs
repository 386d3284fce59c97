//! The attribute `#[secure_function]`.

use proc_macro::TokenStream;
use quote::quote;
use syn::{FnArg, ItemFn, Pat, ReturnType, parse_macro_input};

/// Makes a function that records a graph into one that returns a deferred call of it.
///
/// The first parameter is the recording; the others are the arguments of the call, taken by
/// reference. Their `Debug` output is the call's signature, so it must show all that the recording
/// depends on.
///
/// ```text
/// #[secure_function]
/// fn average(g: &Recording<'_>, inputters: &[Inputter], receiver: &Receiver) { … }
///
/// // fn average<'a>(inputters: &'a [Inputter], receiver: &'a Receiver) -> Function<'a>
/// session.run(&average(&inputters, &receiver), 1)?;
/// ```
#[proc_macro_attribute]
pub fn secure_function(attribute: TokenStream, item: TokenStream) -> TokenStream {
    let function = parse_macro_input!(item as ItemFn);
    let attribute = proc_macro2::TokenStream::from(attribute);
    if !attribute.is_empty() {
        let message = "secure_function takes no arguments";
        return syn::Error::new_spanned(attribute, message).to_compile_error().into();
    }
    expand(&function).unwrap_or_else(|error| error.to_compile_error()).into()
}

fn expand(function: &ItemFn) -> syn::Result<proc_macro2::TokenStream> {
    let ItemFn { attrs, vis, sig, block, .. } = function;
    let fail = |message: &str| Err(syn::Error::new_spanned(sig, message));
    if !sig.generics.params.is_empty() || sig.asyncness.is_some() {
        return fail("a secure function is a plain function without generics");
    }
    if !matches!(sig.output, ReturnType::Default) {
        return fail("a secure function returns nothing: hand results on by `publish` or `assign`");
    }
    if sig.receiver().is_some() {
        return fail("a secure function is no method");
    }
    let mut parameters = sig.inputs.iter();
    let Some(FnArg::Typed(recording)) = parameters.next() else {
        return fail("the first parameter is the recording: `g: &Recording<'_>`");
    };
    let mut names = Vec::new();
    let mut types = Vec::new();
    for parameter in parameters {
        let FnArg::Typed(parameter) = parameter else {
            return fail("a secure function is no method");
        };
        let (Pat::Ident(name), syn::Type::Reference(reference)) = (&*parameter.pat, &*parameter.ty)
        else {
            return fail("arguments are names, taken by reference: `owner: &DataOwner`");
        };
        if reference.lifetime.is_some() || reference.mutability.is_some() {
            return fail("arguments are shared references without a lifetime");
        }
        names.push(&name.ident);
        types.push(&reference.elem);
    }
    let name = &sig.ident;
    let text = name.to_string();
    Ok(quote! {
        #(#attrs)*
        #vis fn #name<'a>(#(#names: &'a #types),*) -> ::sordino::graph::Function<'a> {
            let signature = ::std::format!("{:?}", (#(&#names,)*));
            ::sordino::graph::Function::new(#text, &signature, move |#recording| #block)
        }
    })
}
