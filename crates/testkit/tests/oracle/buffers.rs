//! The buffers that catch stray accesses.

use testkit::frame::NanFramed;

#[test]
fn a_frame_tells_where_it_was_written() {
    let mut buffer = NanFramed::from_slice(&[1.0, 2.0, 3.0], 2);
    assert_eq!(buffer.as_slice(), [1.0, 2.0, 3.0]);
    buffer.as_mut_slice().fill(4.0);
    assert_eq!(buffer.overwritten(), None);
    buffer.assert_frame_untouched("p");

    let all = buffer.with_frame_mut();
    assert!(all[0].is_nan() && all[1].is_nan() && all[5].is_nan() && all[6].is_nan());
    all[5] = f32::NAN; // another NaN is a write too
    assert_eq!(buffer.overwritten(), Some(3));
    buffer.with_frame_mut()[1] = 0.0;
    assert_eq!(buffer.overwritten(), Some(-1));
    let check = std::panic::catch_unwind(|| buffer.assert_frame_untouched("conv:p"));
    assert!(check.is_err());
}

#[cfg(unix)]
mod guarded {
    use std::os::fd::AsRawFd;
    use testkit::guard::GuardedF32;

    /// Whether the byte at `address` can be read: the kernel is asked to copy it into a pipe, and answers
    /// `EFAULT` instead of stopping the process.
    fn readable(address: *const u8) -> bool {
        let (_reader, writer) = std::io::pipe().unwrap();
        // SAFETY: the kernel checks the address itself; nothing is dereferenced here.
        let written = unsafe { libc::write(writer.as_raw_fd(), address.cast(), 1) };
        if written == 1 {
            return true;
        }
        let error = std::io::Error::last_os_error();
        assert_eq!(error.raw_os_error(), Some(libc::EFAULT));
        false
    }

    #[test]
    fn the_end_touches_the_guard_page() {
        for len in [1, 3, 16, 1023, 1024, 1025, 5000] {
            let buffer = GuardedF32::new(len);
            let range = buffer.as_ptr_range();
            let end = range.end.cast::<u8>();
            assert!(readable(end.wrapping_sub(1)), "{len}");
            assert!(!readable(end), "{len}");
        }
    }

    #[test]
    fn the_start_touches_the_guard_page() {
        for len in [1, 3, 16, 1023, 1024, 1025, 5000] {
            let buffer = GuardedF32::at_start(len);
            let start = buffer.as_ptr().cast::<u8>();
            assert!(readable(start), "{len}");
            assert!(!readable(start.wrapping_sub(1)), "{len}");
        }
    }

    #[test]
    fn values_are_kept_and_the_rest_of_the_page_is_nan() {
        let mut end = GuardedF32::from_slice(&[1.0, 2.0]);
        end[0] = 5.0;
        assert_eq!(*end, [5.0, 2.0]);
        // SAFETY: the cell before the slice lies on the same, open page.
        assert!(unsafe { end.as_ptr().sub(1).read() }.is_nan());
        let start = GuardedF32::from_slice_at_start(&[1.0, 2.0]);
        assert_eq!(*start, [1.0, 2.0]);
        // SAFETY: the cell behind the slice lies on the same, open page.
        assert!(unsafe { start.as_ptr().add(2).read() }.is_nan());
        assert!(GuardedF32::new(3).iter().all(|&v| v == 0.0));
    }

    #[test]
    fn an_empty_buffer_is_legal() {
        assert!(GuardedF32::new(0).is_empty());
        assert!(GuardedF32::from_slice_at_start(&[]).is_empty());
    }
}
