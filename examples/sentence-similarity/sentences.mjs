/** Pairs and strangers for the similarity matrix, then more kinds of text: requantize.mjs measures on all of them. */
export const sentences = `A man is eating food in the kitchen.
A person is having a meal.
The quick brown fox jumps over the lazy dog.
Graviton3 processors run BERT inference faster with bfloat16 kernels.
Deep learning compilers fuse linear layers with pointwise operations.
How do I reset my password if I no longer have access to my email?
I forgot my login details and cannot receive the recovery message.
The weather in Berlin was unusually warm for November.
She plays the violin in a small orchestra every Thursday evening.
Quarterly revenue grew by 12% while operating costs stayed flat.
A cat sat on the mat and ignored the dog.
What is the capital city of Australia?
The patient was prescribed 500mg of amoxicillin three times a day.
Please remember to buy milk, eggs and bread on the way home.
Quantum computers use qubits that can be in superposition.
The committee postponed the vote until next Tuesday.
Le chat dort sur le canapé.
Der Zug nach Hamburg hat heute zwanzig Minuten Verspätung.
def add(a, b): return a + b
SELECT name, age FROM users WHERE age > 30 ORDER BY name;
The stock market crashed in 1929, leading to the Great Depression.
I would like to book a table for four at 7pm tomorrow.
Photosynthesis converts light energy into chemical energy in plants.
He scored the winning goal in the last minute of extra time.
My laptop battery drains too quickly even when idle.
The museum is closed on Mondays and public holidays.
Error: connection refused at 127.0.0.1:8080
An earthquake of magnitude 6.4 struck off the coast of Japan.
This recipe needs two cups of flour and a pinch of salt.
The lawyer argued that the contract was void from the beginning.
Children under five travel for free on all city buses.
ok
no
Supercalifragilisticexpialidocious
The novel was translated into more than forty languages.
Bitcoin fell below $20,000 for the first time in two years.
Turn left at the traffic lights and continue for half a mile.
Vaccines train the immune system to recognise pathogens.
My favourite colour is a deep shade of blue.
The new bridge will shorten the commute by fifteen minutes.
Our flight was cancelled because of heavy fog.
Machine learning models often overfit small datasets.
The river flooded several villages last spring.
Can you recommend a good science fiction book?
The bakery on the corner sells the best croissants in town.
Astronomers discovered a planet orbiting a distant star.`.split('\n');
