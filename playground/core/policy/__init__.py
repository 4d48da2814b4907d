"""A policy that learns from preferences or rewards: DPO, PPO's clipped objective, the KL to a reference.

A *policy* is a language model seen as one who acts: its action is the next token. The *reference* is the
model it started from. Everything here is computed from the log-probabilities (nats) that both give to the
tokens of answers; an array of tokens of several answers comes with a mask, because answers are not equally
long.

    log-ratio   log pi(token) - log pi_ref(token)      0 while the policy is still the reference
    DPO         the log-ratio of a whole answer, times beta, is its reward: nothing else judges
    PPO         a reward judges; the ratio to the policy that wrote the answer is kept near 1
"""
