//! What a program keeps between runs, parameters and statistics alike, by name.

use std::convert::Infallible;

use runtime::Program;

/// Gives a program all that is found by the names of what it keeps; of other lengths as much as fits.
pub(crate) fn restore<'a>(program: &mut Program, find: impl Fn(&str) -> Option<&'a [f32]>) {
    let filled = program.fill_kept(|name, to| {
        let from = find(name).into_iter().flatten();
        to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
        Ok::<(), Infallible>(())
    });
    let Ok(()) = filled;
}
