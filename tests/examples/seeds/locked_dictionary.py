# SPDX-License-Identifier: MIT
"""A dictionary that one thread fills and another walks; with the lock it works."""
import random
import sys
import threading

count = int(sys.argv[1])
numbers = {}
lock = threading.Lock()


def add():
    for key in range(1, count + 1):
        with lock:
            numbers[key] = random.randint(10, 20)


def walk():
    while True:
        with lock:
            for key in numbers:
                numbers[key] = random.randint(1, 10)
            if len(numbers) == count:
                return


threads = [threading.Thread(target=add), threading.Thread(target=walk)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(f"{len(numbers)} entries, walked without harm")
