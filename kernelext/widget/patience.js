// GoNB's script gives the kernel half a second to answer its first message, and then takes
// the page for cut off; a busy machine needs longer. The script comes after this one and
// makes an object gonb_comm: its wait is replaced by a longer one.
(() => {
	function wait() {
		return new Promise((resolve, reject) => {
			const timer = setTimeout(() => reject(Error("the kernel has not answered for ten seconds")), 10000);
			this._onopen_ack = () => {
				clearTimeout(timer);
				resolve(null);
			};
		});
	}
	const watch = (comm) => Object.defineProperty(globalThis, "gonb_comm", {
		configurable: true,
		enumerable: true,
		get: () => comm,
		set: (next) => {
			let close;
			comm = Object.defineProperties(next, {
				_wait_open_ack: {get: () => wait, set: () => {}},
				close: {
					get: () => function (...args) {
						close.apply(this, args);
						if (!globalThis.gonb_comm) {
							watch(); // for the one that follows
						}
					},
					set: (f) => { close = f; },
				},
			});
		},
	});
	watch(globalThis.gonb_comm);
})();
