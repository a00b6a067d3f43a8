//! Runs a thread before all others.

use thread_priority::{
    RealtimeThreadSchedulePolicy::Fifo, ThreadPriority, ThreadSchedulePolicy::Realtime,
    set_thread_priority_and_policy, thread_native_id,
};

/// Has the kernel run this thread to its end before all that are not real-time
/// (`SCHED_FIFO`, see sched(7)). Whether it does: that takes `CAP_SYS_NICE` or a limit on
/// real-time priorities above 0 (`ulimit -r`).
///
/// There is no way back: who may do this may perhaps not undo it.
pub(super) fn begin() -> bool {
    set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, Realtime(Fifo)).is_ok()
}

#[cfg(test)]
mod tests {
    use std::thread;

    use thread_priority::thread_schedule_policy;

    use super::*;

    #[test]
    fn only_the_thread_itself_runs_before_others() {
        let before = thread_schedule_policy().unwrap();
        let (is_first, policy) = thread::spawn(|| (begin(), thread_schedule_policy().unwrap()))
            .join()
            .unwrap();

        assert_eq!(policy == Realtime(Fifo), is_first);
        assert_eq!(thread_schedule_policy().unwrap(), before);
    }
}
