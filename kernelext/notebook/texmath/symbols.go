package texmath

import "strings"

// class is the class of an atom in TeX's sense.
type class int

const (
	ord class = iota
	op
	bin
	rel
	opening
	closing
	punct
)

// symbol is a character with its class.
type symbol struct {
	text  string
	class class
}

// pairs reads "name character name character …".
func pairs(list string) map[string]string {
	fields := strings.Fields(list)
	m := make(map[string]string, len(fields)/2)
	for i := 0; i+1 < len(fields); i += 2 {
		m[fields[i]] = fields[i+1]
	}
	return m
}

// letters are set in italics, as a single Latin letter is.
var letters = pairs(`
alpha α beta β gamma γ delta δ epsilon ϵ varepsilon ε zeta ζ eta η theta θ vartheta ϑ iota ι kappa κ varkappa ϰ
lambda λ mu μ nu ν xi ξ omicron ο pi π varpi ϖ rho ρ varrho ϱ sigma σ varsigma ς tau τ upsilon υ phi ϕ varphi φ
chi χ psi ψ omega ω digamma ϝ imath ı jmath ȷ`)

// upright are set upright.
var upright = pairs(`
Gamma Γ Delta Δ Theta Θ Lambda Λ Xi Ξ Pi Π Sigma Σ Upsilon Υ Phi Φ Psi Ψ Omega Ω
nabla ∇ partial ∂ infty ∞ ell ℓ hbar ℏ hslash ℏ Re ℜ Im ℑ wp ℘ aleph ℵ beth ℶ emptyset ∅ varnothing ∅
forall ∀ exists ∃ nexists ∄ neg ¬ lnot ¬ top ⊤ bot ⊥ angle ∠ prime ′ dagger † ddagger ‡ degree ° square □ Box □
blacksquare ■ triangle △ diamondsuit ♢ heartsuit ♡ clubsuit ♣ spadesuit ♠ checkmark ✓ bigstar ★ complement ∁
copyright © pounds £ S § P ¶ circledR ® infin ∞ sharp ♯ flat ♭ natural ♮ surd √ cdotp ⋅ ldotp .
dots … ldots … cdots ⋯ vdots ⋮ ddots ⋱ dotsc … dotsb ⋯ dotsm ⋯ dotsi ⋯ dotso … mathellipsis …
% % # # & & _ _ $ $`)

var binaries = pairs(`
pm ± mp ∓ times × div ÷ cdot ⋅ ast ∗ star ⋆ circ ∘ bullet ∙ cap ∩ cup ∪ uplus ⊎ sqcap ⊓ sqcup ⊔ vee ∨ lor ∨ wedge ∧
land ∧ setminus ∖ smallsetminus ∖ wr ≀ diamond ⋄ oplus ⊕ ominus ⊖ otimes ⊗ oslash ⊘ odot ⊙ amalg ⨿ bigcirc ◯ rtimes ⋊
ltimes ⋉ boxplus ⊞ boxtimes ⊠ dotplus ∔ intercal ⊺ bmod mod`)

var relations = pairs(`
le ≤ leq ≤ ge ≥ geq ≥ leqslant ⩽ geqslant ⩾ ll ≪ gg ≫ lll ⋘ ggg ⋙ ne ≠ neq ≠ lt < gt > equiv ≡ sim ∼ simeq ≃ approx ≈
cong ≅ propto ∝ varpropto ∝ asymp ≍ doteq ≐ prec ≺ succ ≻ preceq ⪯ succeq ⪰ precsim ≾ succsim ≿ preccurlyeq ≼ succcurlyeq ≽
lesssim ≲ gtrsim ≳ lessapprox ⪅ gtrapprox ⪆ lessgtr ≶ subset ⊂ supset ⊃ subseteq ⊆ supseteq ⊇ subsetneq ⊊ supsetneq ⊋
nsubseteq ⊈ in ∈ notin ∉ ni ∋ owns ∋ perp ⟂ parallel ∥ nparallel ∦ mid ∣ nmid ∤ vdash ⊢ dashv ⊣ models ⊨ vDash ⊨ smile ⌣
frown ⌢ bowtie ⋈ triangleq ≜ coloneqq ≔ eqqcolon ≕ eqcirc ≖ approxeq ≊ thicksim ∼ backsim ∽ nless ≮ ngtr ≯ nleq ≰ ngeq ≱
ncong ≇ nsim ≁ therefore ∴ because ∵
to → rightarrow → gets ← leftarrow ← leftrightarrow ↔ Rightarrow ⇒ Leftarrow ⇐ Leftrightarrow ⇔ implies ⟹ impliedby ⟸ iff ⟺
mapsto ↦ longmapsto ⟼ longrightarrow ⟶ longleftarrow ⟵ longleftrightarrow ⟷ Longrightarrow ⟹ Longleftarrow ⟸ Longleftrightarrow ⟺
hookrightarrow ↪ hookleftarrow ↩ uparrow ↑ downarrow ↓ updownarrow ↕ Uparrow ⇑ Downarrow ⇓ nearrow ↗ searrow ↘ swarrow ↙
nwarrow ↖ rightharpoonup ⇀ rightharpoondown ⇁ leftharpoonup ↼ rightleftharpoons ⇌ leadsto ⇝ rightsquigarrow ⇝ nrightarrow ↛
nleftarrow ↚ nRightarrow ⇏ circlearrowleft ↺ circlearrowright ↻ curvearrowright ↷ twoheadrightarrow ↠ upharpoonright ↾ restriction ↾`)

// largeOperators grow in display style. Those of integrals keep their limits beside.
var largeOperators = pairs(`
sum ∑ prod ∏ coprod ∐ bigcup ⋃ bigcap ⋂ bigvee ⋁ bigwedge ⋀ bigoplus ⨁ bigotimes ⨂ bigodot ⨀ biguplus ⨄ bigsqcup ⨆`)

var integrals = pairs(`int ∫ iint ∬ iiint ∭ oint ∮ oiint ∯ intop ∫ smallint ∫`)

// functions are named operators; those of limitFunctions carry what stands below them in
// display style.
var functions = strings.Fields(`arccos arcsin arctan arg cos cosh cot coth csc deg dim exp hom ker lg ln log sec sin sinh tan tanh`)

var limitFunctions = map[string]string{
	"det": "det", "gcd": "gcd", "inf": "inf", "lim": "lim", "liminf": "lim inf", "limsup": "lim sup", "max": "max", "min": "min",
	"Pr": "Pr", "sup": "sup", "argmin": "arg min", "argmax": "arg max", "plim": "plim", "injlim": "inj lim", "projlim": "proj lim",
}

// delimiters are what may follow \left, \big and the like, by name or character.
var delimiters = map[string]symbol{
	"(": {"(", opening}, ")": {")", closing}, "[": {"[", opening}, "]": {"]", closing}, "|": {"|", ord}, "/": {"/", ord},
	"<": {"⟨", opening}, ">": {"⟩", closing}, ".": {"", ord},
	`\{`: {"{", opening}, `\}`: {"}", closing}, `\|`: {"‖", ord},
	`\lbrace`: {"{", opening}, `\rbrace`: {"}", closing}, `\lbrack`: {"[", opening}, `\rbrack`: {"]", closing},
	`\vert`: {"|", ord}, `\Vert`: {"‖", ord}, `\lvert`: {"|", opening}, `\rvert`: {"|", closing}, `\lVert`: {"‖", opening}, `\rVert`: {"‖", closing},
	`\langle`: {"⟨", opening}, `\rangle`: {"⟩", closing}, `\lfloor`: {"⌊", opening}, `\rfloor`: {"⌋", closing},
	`\lceil`: {"⌈", opening}, `\rceil`: {"⌉", closing}, `\lgroup`: {"⟮", opening}, `\rgroup`: {"⟯", closing},
	`\lmoustache`: {"⎰", opening}, `\rmoustache`: {"⎱", closing}, `\llbracket`: {"⟦", opening}, `\rrbracket`: {"⟧", closing},
	`\ulcorner`: {"⌜", opening}, `\urcorner`: {"⌝", closing},
	`\backslash`: {`\`, ord}, `\uparrow`: {"↑", rel}, `\downarrow`: {"↓", rel}, `\updownarrow`: {"↕", rel},
	`\Uparrow`: {"⇑", rel}, `\Downarrow`: {"⇓", rel},
}

// sizes are the heights of \big and the like.
var sizes = map[string]string{"big": "1.2em", "Big": "1.8em", "bigg": "2.4em", "Bigg": "3em"}

// characters are the symbols that stand for themselves.
var characters = map[rune]symbol{
	'+': {"+", bin}, '-': {"−", bin}, '−': {"−", bin}, '*': {"∗", bin},
	'=': {"=", rel}, '<': {"<", rel}, '>': {">", rel}, ':': {":", rel},
	'(': {"(", opening}, '[': {"[", opening}, ')': {")", closing}, ']': {"]", closing}, '!': {"!", closing}, '?': {"?", closing},
	',': {",", punct}, ';': {";", punct}, '/': {"/", ord}, '|': {"|", ord}, '.': {".", ord}, '@': {"@", ord}, '`': {"‘", ord}, '"': {"″", ord},
}

// spaces are widths in em.
var spaces = pairs(`
, 0.1667 thinspace 0.1667 : 0.2222 > 0.2222 medspace 0.2222 ; 0.2778 thickspace 0.2778 quad 1 qquad 2 enspace 0.5 ! -0.1667 negthinspace -0.1667`)

// accents are drawn over their argument.
var accents = map[string]string{
	"hat": "ˆ", "widehat": "^", "bar": "¯", "tilde": "˜", "widetilde": "~", "dot": "˙", "ddot": "¨", "dddot": "⃛", "vec": "→",
	"check": "ˇ", "breve": "˘", "acute": "´", "grave": "`", "mathring": "˚",
	"overrightarrow": "→", "overleftarrow": "←", "overleftrightarrow": "↔", "overbrace": "⏞", "overparen": "⏜",
}

// underAccents are drawn under their argument.
var underAccents = map[string]string{"underbrace": "⏟", "underrightarrow": "→", "underparen": "⏝"}

// stretching accents are as wide as their argument.
var stretching = map[string]bool{
	"widehat": true, "widetilde": true, "overrightarrow": true, "overleftarrow": true, "overleftrightarrow": true,
	"overbrace": true, "overparen": true, "underbrace": true, "underrightarrow": true, "underparen": true,
}

var arrows = pairs(`xrightarrow → xleftarrow ← xleftrightarrow ↔ xRightarrow ⇒ xLeftarrow ⇐ xmapsto ↦`)

// negations are relations with a stroke that have a character of their own.
var negations = map[string]string{
	"=": "≠", "<": "≮", ">": "≯", "≤": "≰", "≥": "≱", "∈": "∉", "∋": "∌", "⊂": "⊄", "⊃": "⊅", "⊆": "⊈", "⊇": "⊉", "≡": "≢",
	"∼": "≁", "≈": "≉", "≅": "≇", "≃": "≄", "∣": "∤", "∥": "∦", "≺": "⊀", "≻": "⊁", "→": "↛", "⇒": "⇏", "∃": "∄", "⪯": "⋠", "⪰": "⋡",
}

// byCharacter gives symbols that are written as such, not by name, their class.
var byCharacter = func() map[string]symbol {
	m := map[string]symbol{}
	for c, table := range map[class]map[string]string{bin: binaries, rel: relations} {
		for _, text := range table {
			m[text] = symbol{text, c}
		}
	}
	for _, d := range delimiters {
		m[d.text] = d
	}
	return m
}()

var functionNames = func() map[string]bool {
	m := map[string]bool{}
	for _, name := range functions {
		m[name] = true
	}
	return m
}()
