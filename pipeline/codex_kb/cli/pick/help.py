"""What `?` says of each key."""

HELP = (
    ("y", "approve: it becomes a claim"),
    ("D V U T W", "reject as duplicate, vague, unsupported, trivial, wrong"),
    ("n", "reject, then d v u t w says why, o takes your own words, Enter gives no reason"),
    ("N", "reject without a reason"),
    ("+", "add its quotes to the claim that is near, then e extends it, c confirms, h challenges, Enter as proposed"),
    ("e", "edit this one in your editor; to add it to a claim of your choice write - adds to: [[claim]] there"),
    ("s", "decide later; takes a mark off"),
    ("Enter", "go on, and leave it as it is"),
    ("b", "back"),
    ("u", "undo the last"),
    ("/", "find a word in titles and quotes; Enter finds the last one again"),
    ("i", "all of it, in your pager"),
    ("m", "add a claim that was missed: pick its sentences, put it in words"),
    ("d", "reject all that is open of this source as trivial"),
    ("q", "show what will be applied, and apply it; leave where nothing is marked"),
    ("Q", "leave and apply nothing; marks stay in the packets. Ctrl-D does the same"),
    ("> ~ ? !", "the quote, what is near, what to check, what is wrong; a ? after the confidence: nothing supports it"),
)
