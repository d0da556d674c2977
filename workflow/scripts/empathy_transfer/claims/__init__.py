"""The paper's claims, judged by rules written down beforehand."""
