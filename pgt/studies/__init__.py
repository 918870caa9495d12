"""Studies with people: which pictures they are shown, what they answer, and what it comes to.

Two kinds, as in the papers. "real-fake" shows one picture at a time, real or generated, for a second (PG2,
Sec. 4.4): how often are people wrong? "preference" shows two pictures of the same person side by side,
without a time limit (SPT, Sec. 4.2): how often is one method preferred to another?

`pgt study make` plans a study into a folder, `demo/study.py` shows it to its participants, and
`pgt study report` counts their answers.
"""
