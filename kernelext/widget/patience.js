// GoNB's script greets the kernel and, without an answer for half a second, takes the page
// for cut off. But while a cell runs Jupyter's server may lose the answer: it passes on
// what comes before its own connection is complete to nobody. The kernel has heard the
// greeting nevertheless. So no answer, for a second, is taken for one.
//
// That script comes after this one and makes an object gonb_comm, whose wait is replaced.
(() => {
	function wait() {
		return new Promise((resolve) => {
			const timer = setTimeout(resolve, 1000);
			this._onopen_ack = () => {
				clearTimeout(timer);
				resolve();
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
