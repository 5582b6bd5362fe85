//! `struct tcp_info` of `linux/tcp.h`. It grows with the kernel: older ones send its beginning.

use crate::socket::TcpInfo;

/// The value of `tcpi_min_rtt` before the first measurement.
const UNKNOWN: u32 = u32::MAX;

/// What `struct tcp_info` tells about the timer: unanswered retransmissions and probes.
pub(super) fn timer_counts(info: &[u8]) -> Option<(u32, u32)> {
    let (&retransmits, &probes) = (info.get(2)?, info.get(3)?);
    Some((retransmits.into(), probes.into()))
}

/// Parses the struct, as far as the kernel sends it.
pub(super) fn parse(info: &[u8]) -> TcpInfo {
    let (received, sent) = (u64_at(info, 128), u64_at(info, 200));
    // Before the first measurement, the variation is the kernel's first guess.
    let rtt = u32_at(info, 68).filter(|&rtt| rtt != 0);
    TcpInfo {
        mss: u32_at(info, 16),
        lost: u32_at(info, 32),
        // Without data, the kernel counts from the start of the connection, or of the machine.
        last_tx: u32_at(info, 44).filter(|_| sent != Some(0)),
        last_rx: u32_at(info, 52).filter(|_| received != Some(0)),
        rtt,
        rtt_var: rtt.and_then(|_| u32_at(info, 72)),
        cwnd: u32_at(info, 80),
        retrans: u32_at(info, 100),
        received,
        min_rtt: u32_at(info, 148).filter(|&it| it != UNKNOWN),
        // From Linux 4.19 on.
        sent,
        ..TcpInfo::default()
    }
}

/// Returns the name of a congestion control, filled up with NUL.
pub(super) fn congestion_control(name: &[u8]) -> Option<[u8; 16]> {
    let name = name.split(|&byte| byte == 0).next()?;
    let mut padded = [0; 16];
    padded.get_mut(..name.len())?.copy_from_slice(name);
    Some(padded)
}

fn u32_at(info: &[u8], offset: usize) -> Option<u32> {
    info.get(offset..)?.first_chunk().copied().map(u32::from_ne_bytes)
}

fn u64_at(info: &[u8], offset: usize) -> Option<u64> {
    info.get(offset..)?.first_chunk().copied().map(u64::from_ne_bytes)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_that_an_old_kernel_does_not_send_are_unknown() {
        // Each number of four bytes is its own offset.
        let info: Vec<u8> = (0..60).flat_map(|index: u32| (4 * index).to_ne_bytes()).collect();
        let whole = parse(&info);
        assert_eq!((whole.rtt, whole.cwnd, whole.min_rtt), (Some(68), Some(80), Some(148)));
        assert_eq!(whole.sent.map(|it| it & 0xffff), Some(200));
        let old = parse(&info[..104]);
        assert_eq!(
            (old.retrans, old.received, old.sent, old.min_rtt),
            (Some(100), None, None, None)
        );
        assert_eq!(parse(&[]), TcpInfo::default());
        let mut unmeasured = info.clone();
        unmeasured[148..152].fill(0xff);
        assert_eq!(parse(&unmeasured).min_rtt, None);
        for (place, length) in [(68, 4), (128, 8), (200, 8)] {
            unmeasured[place..place + length].fill(0);
        }
        let TcpInfo { rtt, rtt_var, last_rx, last_tx, received, .. } = parse(&unmeasured);
        assert_eq!((rtt, rtt_var, last_rx, last_tx), (None, None, None, None));
        assert_eq!(received, Some(0));
    }

    #[test]
    fn name_of_a_congestion_control_ends_at_the_first_nul() {
        assert_eq!(congestion_control(b"cubic\0x").unwrap(), *b"cubic\0\0\0\0\0\0\0\0\0\0\0");
        assert_eq!(congestion_control(&[b'x'; 17]), None);
    }

    proptest! {
        #[test]
        fn info_of_any_length_does_not_panic(info in vec(any::<u8>(), 0..300)) {
            let _ = (parse(&info), timer_counts(&info), congestion_control(&info));
        }
    }
}
