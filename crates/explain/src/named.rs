//! What a program keeps between runs, parameters and statistics alike, by name.

use runtime::Program;

/// Everything a program keeps, with its name.
pub(crate) fn kept(program: &Program) -> impl Iterator<Item = (&str, &[f32])> {
    let parameters = program.slots().iter();
    let parameters = parameters.map(|slot| {
        let elements = &program.parameters()[slot.range.clone()];
        (slot.name.as_str(), elements)
    });
    let states = program.states().iter();
    let states = states.map(|slot| {
        let elements = &program.state()[slot.range.clone()];
        (slot.name.as_str(), elements)
    });
    parameters.chain(states)
}

/// Gives a program all that is found by the names of what it keeps; of other lengths as much as fits.
pub(crate) fn restore<'a>(program: &mut Program, find: impl Fn(&str) -> Option<&'a [f32]>) {
    let copy = |name: &str, to: &mut [f32]| {
        let from = find(name).into_iter().flatten();
        to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
    };
    for slot in program.slots().to_vec() {
        copy(&slot.name, &mut program.parameters_mut()[slot.range]);
    }
    for slot in program.states().to_vec() {
        copy(&slot.name, &mut program.state_mut()[slot.range]);
    }
}
