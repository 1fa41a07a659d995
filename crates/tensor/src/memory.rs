//! Vectors whose length comes from outside: a picture, a batch, the parameters of a network. Memory for them is asked
//! for, so that its want is an error and not the end of the program.

/// Memory that could not be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{bytes} bytes of memory are needed, which the system does not give")]
pub struct MemoryError {
    /// Bytes wanted.
    pub bytes: usize,
}

/// An empty vector with room for `len` elements.
///
/// # Errors
/// When the system does not give the memory.
///
/// ```
/// use tensor::memory::try_room;
///
/// let mut row = try_room(2)?;
/// row.extend([1.0_f32, 2.0]);
/// assert!(try_room::<f32>(usize::MAX).is_err());
/// # Ok::<(), tensor::MemoryError>(())
/// ```
pub fn try_room<T>(len: usize) -> Result<Vec<T>, MemoryError> {
    let mut elements = Vec::new();
    match elements.try_reserve_exact(len) {
        Ok(()) => Ok(elements),
        Err(_) => Err(MemoryError {
            bytes: len.saturating_mul(size_of::<T>()),
        }),
    }
}

/// Room for `more` elements behind those of a vector that grows bit by bit.
///
/// # Errors
/// As [`try_room`].
pub fn try_more<T>(elements: &mut Vec<T>, more: usize) -> Result<(), MemoryError> {
    elements.try_reserve(more).map_err(|_| MemoryError {
        bytes: elements
            .len()
            .saturating_add(more)
            .saturating_mul(size_of::<T>()),
    })
}

/// `len` zeros, or what stands for them in `T`.
///
/// # Errors
/// As [`try_room`].
pub fn try_zeros<T: Clone + Default>(len: usize) -> Result<Vec<T>, MemoryError> {
    let mut elements = try_room(len)?;
    elements.resize(len, T::default());
    Ok(elements)
}

/// A copy.
///
/// # Errors
/// As [`try_room`].
pub fn try_copy<T: Clone>(elements: &[T]) -> Result<Vec<T>, MemoryError> {
    let mut copy = try_room(elements.len())?;
    copy.extend_from_slice(elements);
    Ok(copy)
}

/// Whether `bytes` can be had now, for code of others that takes them without asking. They are given back at once, so
/// another thread may be quicker: that the memory is there a moment later is likely and not certain.
///
/// # Errors
/// As [`try_room`].
pub fn check_room(bytes: usize) -> Result<(), MemoryError> {
    try_room::<u8>(bytes).map(drop)
}
