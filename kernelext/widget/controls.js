(() => {
	const box = document.getElementById("{{id}}");
	const comm = globalThis.gonb_comm;
	const state = box.querySelector("[data-state]");
	if (!comm) {
		state.textContent = "run the cell to use these";
		return;
	}
	// Numbered: on their way messages may overtake each other.
	let n = 0;
	const send = (what) => comm.send("{{address}}", ++n + " " + what);
	for (const e of box.querySelectorAll("[data-control]")) {
		const i = e.dataset.control;
		if (e.tagName === "BUTTON") {
			e.addEventListener("click", () => send(i + " 0"));
			continue;
		}
		let sent = e.value, waiting = false;
		const moved = () => {
			waiting = false;
			if (e.value !== sent) {
				sent = e.value;
				send(i + " " + sent);
			}
		};
		e.addEventListener("change", moved);
		e.addEventListener("input", () => {
			if (e.dataset.texts) {
				e.parentElement.querySelector("output").textContent = e.dataset.texts.split("|")[e.value];
			}
			if (!waiting) {
				waiting = true;
				setTimeout(moved, 50);
			}
		});
	}
	comm.subscribe("{{address}}/state", (_, text) => { state.textContent = text; });
	send("here");
	// A cell that waits for its turn, as in "Run All", ends them: the reader wants to go on.
	const cell = box.closest(".jp-Cell"), prompts = ".jp-InputPrompt";
	const timer = setInterval(() => {
		const queued = [...(box.closest(".jp-Notebook")?.querySelectorAll(prompts) ?? [])].some((p) => !cell.contains(p) && p.textContent.includes("*"));
		if (queued) {
			send("done");
		}
		if (queued || !box.isConnected) {
			clearInterval(timer);
		}
	}, 200);
	box.querySelector("[data-done]").addEventListener("click", () => {
		clearInterval(timer);
		send("done");
	});
})();
