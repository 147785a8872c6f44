# ruff: noqa: E501
"""Words and sentence frames from which ``texts`` writes its sentences, written for this project.

For each language: ``frames`` with ``{slot}`` holes, and the words of each slot. Japanese is in kana (its speech engines read
no kanji), with spaces between phrases.
"""

from __future__ import annotations

Grammar = dict[str, tuple[str, ...]]


def _words(text: str, separator: str = ",") -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(separator) if word.strip())


ENGLISH: Grammar = {
    "frames": _words(
        """{Who} {did} {what} {where}.|{Who} never {did} {what}, but {who} {did} {what} {when}.|Why would {who} want {what} {when}?
        |I think {what} {where} is {quality}, and {quality} too.|Please put {what} {where}, and bring me {what}.
        |{When}, {who} {did} {what}; it was {quality}.|Do you really believe that {what} could be so {quality}?
        |What a {quality} way to begin! {Who} simply {did} {what}.|If {who} {did} {what} {where}, we would all be {quality}.
        |No, no, no. {Who} {did} {what}, not {what}.|Welcome back, everybody. Today we look at {what}, {what} and {what}.
        |It's {number} past {number}, and {who} still {did} nothing.|Well, {quality} or not, {what} costs {number} thousand pounds.
        |{Letter} {Letter} {Letter}, {number} {number} {number}, over.|Set {colour} by {letter} {number} again.
        |Place {colour} with {letter} {number} please.|Maybe. Or maybe {who} {did} {what} because of {what}.
        |You're watching the show where {who} {did} {what}, live, {where}.|Thank you so much for {what}, my {quality} friend.
        |Hello, hello! Can you hear me {where}? Wow, {what} looks {quality}.|{Who} and {who} {did} {what} {when}.
        |Oh, I'd choose {what} over {what} any day.|Few people view {what} as {quality} as {who}.
        |{lips}.|{Lips}, {lips}.|{Lips}. {Lips}!""",
        "|",
    ),
    "who": _words(
        """my mother, the baker, Bob, your uncle, a young judge, our teacher, Phoebe, the fisherman, Vivian, Mister Woodward, a pair of
        wolves, the whole village, George, the fourth visitor, my brother Paul, a famous poet, Amy, that boy, the president, Doctor
        Shaw, Matthew, the pope, a shy nurse, everybody, nobody, the weather man, Zoe"""
    ),
    "did": _words(
        """bought, found, built, threw away, carried, washed, moved, loved, promised, measured, shipped, brought back, broke, wrote
        about, forgave, watched, remembered, chose, viewed, baked, pushed, joined, sold, borrowed, understood, awarded, played with,
        mopped up, photographed"""
    ),
    "what": _words(
        """five big apples, the blue umbrella, a map of the moon, warm bread and butter, the old piano, a bag of mushrooms, twelve
        wooden boxes, the photograph, my favourite movie, a cup of coffee, fresh water, some new shoes, the television, a beautiful
        poem, peppermint tea, the garden fence, a purple balloon, four white horses, the whole truth, cheap jewellery, an empty room,
        these things, a huge problem, the microphone, fish and chips, yellow paint, a bowl of soup, your voice, this measure, the
        evening news, a pebble, good food"""
    ),
    "where": _words(
        """in the park, over the bridge, at home, behind the farm, on the third floor, near the river, by the window, under the moon, in
        Paris, at the beach, above the shop, around the world, in a museum, through the forest, beyond the vineyard"""
    ),
    "when": _words(
        """this morning, on Wednesday, five months ago, last February, before lunch, tomorrow, every other week, at half past two, after
        the war, in the autumn, very early, in July, once upon a time"""
    ),
    "quality": _words(
        """wonderful, awful, simple, bright, peculiar, amazing, smooth, rough, very cheap, obvious, beautiful, famous, worthwhile,
        fabulous, impossible, warm, huge, truly odd, weird, familiar, soft, wise, pathetic, marvellous, measured, joyful"""
    ),
    "number": _words("one,two,three,four,five,six,seven,eight,nine,ten,twelve,twenty,fifty,ninety,a hundred and eleven"),
    "colour": _words("blue,green,red,white,purple,orange,brown,yellow"),
    "letter": _words("A,B,C,D,E,F,G,H,I,J,K,L,M,N,O,P,Q,R,S,T,U,V,X,Y,Z"),
    "lips": _words(
        """papa and mama bump the pram, Peter Piper picked a peck of pickled peppers, baby Bobby blew big bubbles, maybe my
        mum might miss me, pop up by the pub before bedtime, five brave wolves have vivid views, we value every evening
        of love, whisper above the wave, the bamboo ape jumps up a palm, poor Emma mumbles a poem, hope, help, home and
        harmony, bye-bye for now, a bumpy map from Bombay, few moves improve my mood, wow, who knew you would, both of
        them became famous, hmm, keep the lamp warm, blue moon over you and me"""
    ),
}
CHINESE: Grammar = {
    "frames": _words(
        """{who}{when}在{where}{did}{what}。|你为什么不{did}{what}呢？|{when}，{who}想{did}{what}，可是{who}不同意。|请把{what}放在{where}，好吗？
        |我觉得{what}很{quality}，也非常{quality}。|欢迎大家来到我们的节目，今天我们谈谈{what}和{what}。|{who}说：“{what}太{quality}了！”
        |哎呀，{what}怎么这么{quality}？|{number}加{number}等于多少？{who}不知道。|如果{who}{did}{what}，我们就都{quality}了。
        |不，不是{what}，是{what}。|谢谢你，{who}，你真的很{quality}。|从{where}到{where}要走{number}个小时。|{who}一边{did}{what}，一边唱歌。
        |你好，听得见我说话吗？{what}看起来不错。|{when}{where}下大雨，{who}没带雨伞。
        |{lips}。|{lips}，{lips}！""",
        "|",
    ),
    "who": _words("我妈妈,老师,他的朋友,小明,我们,邻居王先生,那个女孩,医生,司机,我爸爸,李小姐,玛丽,全村的人,学生们,爷爷,表妹"),
    "did": _words("买了,看见,喜欢,卖掉,带来,打破,写,准备,发现,帮忙修理,拍,忘了,讨论,搬走,画,吹"),
    "what": _words(
        "苹果和葡萄,一本新书,白色的瓶子,热包子,面包,漂亮的花,红色的雨伞,冰咖啡,那部电影,绿茶,足球比赛,一幅画,音乐,玻璃杯,火车票,鱼汤,泡沫,木头桌子,飞机模型,普通话,魔法故事,番茄炒鸡蛋"
    ),
    "where": _words("北京,学校门口,公园里,海边,博物馆,饭店,图书馆,山上,我家,办公室,火车站,湖南,桥下,厨房"),
    "when": _words("今天早上,昨天,明年春天,星期五,下午三点,去年冬天,半夜,吃饭以后,小时候,每个周末"),
    "quality": _words("漂亮,贵,有意思,复杂,普通,好吃,奇怪,聪明,宝贵,舒服,满意,高兴,麻烦,温暖,勇敢,许多余"),
    "number": _words("一,二,三,四,五,六,七,八,九,十,十五,二十八,一百零六,三千"),
    "lips": _words(
        "爸爸妈妈跑步买面包,八百标兵奔北坡,妹妹抱抱白猫,朋友们不怕麻烦,飞飞吹破皮皮的泡泡,门边摆满苹果,我我我不明白,捕鱼婆婆补破布,发福分房,无边的木屋,嗯嗯,明明白白,平平安安,你们不买吗"
    ),
}
JAPANESE: Grammar = {
    "frames": _words(
        """{who}は {when} {where}で {what}を {did}。|どうして {what}を {did}んですか。|{when}、{who}と {who}が {what}を {did}。
        |{what}は とても {quality}ですね。|ようこそ、 みなさん。 きょうは {what}の はなしを します。|すみません、 {what}と {what}を ください。
        |いいえ、 {what}では ありません。 {what}です。|わあ、 {what}が ほんとうに {quality}です。|もし {who}が {what}を {did}ら、 {quality}でしょう。
        |{where}まで {number}ふん かかります。|{number} たす {number}は いくつですか。|ありがとう ございます、 {who}。|もしもし、 わたしの こえが きこえますか。
        |{who}は {where}に いませんでした。 {quality}です。|あのう、 {what}と {what}、 どちらが すきですか。
        |{lips}。|{lips}、 {lips}。""",
        "|",
    ),
    "who": _words(
        "わたし,おかあさん,せんせい,たなかさん,ともだち,ぼくの あに,むらの ひと,うまださん,いしゃ,まいにち あう ひと,びょういんの ひと,ゆうびんやさん"
    ),
    "did": _words(
        "かいました,たべました,みつけました,わすれました,よみました,もってきました,つくりました,うりました,えらびました,ほめました"
    ),
    "what": _words(
        """りんご,あたらしい ほん,あおい ぼうし,ふるい ピアノ,パンと バター,むぎちゃ,おもしろい えいが,ゆうがたの ニュース,ふうせん,さかなの スープ,うみの しゃしん,ぶどう,まんが,コーヒー,
        ひこうき,みみずく,ちいさな はこ,はっぴょう,びじゅつかんの え,おべんとう"""
    ),
    "where": _words("こうえん,うみべ,えき,がっこう,とうきょう,にわ,びじゅつかん,やまの うえ,はしの した,ホテル,みせの まえ"),
    "when": _words("けさ,きのうの よる,らいねんの はる,もくようび,ごご さんじ,まいしゅう,ふゆに,あさ はやく"),
    "quality": _words(
        "きれい,べんり,ふしぎ,ゆうめい,たいへん,しずか,ていねい,むずかしい,おもしろい,うつくしい,あまい,あたたかい"
    ),
    "number": _words("いち,に,さん,よん,ご,ろく,なな,はち,きゅう,じゅう,じゅうご,ひゃく"),
    "lips": _words(
        "ママと パパは パンを ぱくぱく たべます,まめまめしい ばんめし,ぴょんぴょん ぶたが とぶ,ぼくも みんなも もうすぐ うみへ,ふわふわの ふとん,なまむぎ なまごめ なまたまご,ばんばん ぶんぶん,むかし むかし,うん うん,ポップな まんぽけい"
    ),
}
KOREAN: Grammar = {
    "frames": _words(
        """{who}는 {when} {where}에서 {what}를 {did}.|왜 {what}를 {did}?|{when}, {who}와 {who}가 {what}를 {did}.|{what}는 정말 {quality}.
        |여러분, 안녕하세요. 오늘은 {what} 이야기를 해 보겠습니다.|아니요, {what}가 아니라 {what}예요.|와, {what}가 너무 {quality}!|{where}까지 {number} 분 걸려요.
        |{number} 더하기 {number}는 얼마예요?|감사합니다, {who}. 정말 {quality}.|여보세요, 제 목소리가 잘 들리세요?|만약 {who}가 {what}를 {did}, 우리는 모두 놀랄 거예요.
        |{what}하고 {what} 중에서 뭐가 좋아요?|{who}는 {where}에 없었어요.
        |{lips}.|{lips}, {lips}!""",
        "|",
    ),
    "who": _words("우리 어머니,선생님 아내,민수,제 친구,아버지,옆집 할머니,의사,기자,바보 형제,모두,그 여자,버스 기사"),
    "did": _words("샀어요,먹었어요,봤어요,찾았어요,팔았어요,만들었어요,잊어버렸어요,가져왔어요,읽었어요,불렀어요,배웠어요"),
    "what": _words(
        "사과와 포도,새 모자,파란 우비,빵과 버터,오래된 피아노,재미있는 영화,커피,물고기,따뜻한 보리차,비빔밥 재료,음악 프로그램 표,바다 그림 엽서,풍선 하나,나무 의자,기차표,무지개,편지"
    ),
    "where": _words("공원,바닷가,서울,학교,미술관,부엌,다리 밑,백화점,우리 집,회사,시장"),
    "when": _words("오늘 아침,어제 밤,내년 봄,목요일,오후 세 시,주말마다,겨울에,아주 옛날"),
    "quality": _words("좋아요,예뻐요,어려워요,비싸요,재미있어요,이상해요,아름다워요,맛있어요,무서워요,편해요,뜨거워요"),
    "number": _words("일,이,삼,사,오,육,칠,팔,구,십,십오,백"),
    "lips": _words(
        "엄마 아빠 뽀뽀뽀,바람에 봄비가 흩뿌려요,팔팔한 뱀이 밤마다 봐요,뭐 먹고 밥 먹지 마,품 안에 비비빅 빼빼,몸무게는 비밀이에요,우유 위에 모모,빨리빨리 뿌리뽑아요,음 그럼 봅시다,보름달 품은 밤"
    ),
}
GERMAN: Grammar = {
    "frames": _words(
        """{who} hat {when} {where} {what} gekauft.|Warum möchte {who} {what} haben?|Ich finde {what} wirklich {quality}.|Bitte bring mir {what} und {what}.
        |Guten Abend und willkommen! Heute sprechen wir über {what}.|{when} war {who} {where}, und es war {quality}.|Nein, nicht {what}, sondern {what}.
        |Wenn {who} kommt, wird es {quality}.|Es ist {number} Uhr, und {who} schläft noch.
        |{lips}.|{Lips}, {lips}!""",
        "|",
    ),
    "who": _words("meine Mutter,der Bäcker,Herr Müller,unser Freund,die Ärztin,Paul,das Mädchen,jeder,Frau Vogel"),
    "what": _words(
        "fünf Äpfel,ein Buch,das schöne Pferd,frisches Brot,die blaue Mütze,eine Puppe,viel Wasser,zwei Flaschen Bier,den Film,Pflaumenmus"
    ),
    "where": _words("im Park,in Berlin,am Fluss,zu Hause,auf dem Berg,im Museum,vor dem Bahnhof"),
    "when": _words("heute Morgen,am Mittwoch,vor fünf Monaten,gestern,im Frühling,jede Woche"),
    "quality": _words("wunderbar,schwierig,schön,böse,möglich,furchtbar,typisch,grün und süß,komisch"),
    "number": _words("eins,zwei,drei,vier,fünf,sechs,sieben,zwölf"),
    "lips": _words(
        "Mama und Papa kaufen bunte Bälle,Brautkleid bleibt Brautkleid,der Pfarrer pflanzt Pfeffer im Pfarrhof,Fischers Fritz fischt frische Fische,wir waschen weiße Wäsche mit warmem Wasser,Blaubeeren am Baum,immer im Moment,viele schöne Möwen über dem Meer,plumpe Bären brummen,hm ob das klappt"
    ),
}
FRENCH: Grammar = {
    "frames": _words(
        """{who} a acheté {what} {where}.|Pourquoi {who} veut-il {what} {when}?|Je trouve que {what}, c'est {quality}.|Bonsoir et bienvenue! Ce soir, nous parlons de {what}.
        |{when}, {who} était {where}, et c'était {quality}.|Non, pas {what}, mais {what}.|S'il vous plaît, apportez-moi {what} et {what}.|Il est {number} heures, et {who} dort encore.
        |{lips}.|{Lips}, {lips}!""",
        "|",
    ),
    "who": _words("ma mère,le boulanger,monsieur Dubois,notre ami,la voisine,Philippe,tout le monde,le vieux peintre"),
    "what": _words(
        "un beau livre,du pain frais,cinq pommes,une robe bleue,un peu de beurre,la voiture rouge,une bouteille de vin,le journal,un œuf,des fleurs"
    ),
    "where": _words("au parc,à Paris,chez moi,sur le pont,dans la montagne,devant le musée,au bord du fleuve"),
    "when": _words("ce matin,mercredi,l'année dernière,aujourd'hui,au printemps,chaque semaine,hier soir"),
    "quality": _words("formidable,affreux,très beau,possible,bizarre,heureux,fabuleux,un peu cher"),
    "number": _words("une,deux,trois,quatre,cinq,six,neuf,onze"),
    "lips": _words(
        "papa et maman embrassent bébé,un bon vin blanc,ma femme aime beaucoup la brume,la pipe au papa du pape Pie pue,fou de vous,une poupée peu bavarde,bof on verra bien,pommes et bananes,où vous voulez mon amour,mmm c'est bon"
    ),
}
SPANISH: Grammar = {
    "frames": _words(
        """{who} compró {what} {where} {when}.|¿Por qué quiere {who} {what}?|Me parece que {what} es {quality}.|¡Bienvenidos! Hoy hablamos de {what} y de {what}.
        |{when}, {who} estaba {where}, y fue {quality}.|No, no es {what}, es {what}.|Por favor, tráeme {what}.|Son las {number} y {who} todavía duerme.
        |{lips}.|¡{Lips}, {lips}!""",
        "|",
    ),
    "who": _words("mi madre,el panadero,don Pablo,nuestro amigo,la vecina,Beatriz,todo el mundo,un viejo pintor"),
    "what": _words(
        "un libro nuevo,pan y mantequilla,cinco manzanas,una falda azul,el periódico,mucha agua,un vaso de vino,la verdad,una guitarra,el huevo"
    ),
    "where": _words("en el parque,en Madrid,en casa,sobre el puente,en la montaña,cerca del río,frente al museo"),
    "when": _words("esta mañana,el miércoles,hace cinco meses,ayer,en otoño,cada semana"),
    "quality": _words("maravilloso,horrible,muy bonito,imposible,famoso,fuerte,un poco raro,humilde"),
    "number": _words("dos,tres,cuatro,cinco,seis,nueve,once"),
    "lips": _words(
        "papá y mamá abrazan al bebé,Pepe Pecas pica papas,mi mamá me mima,poco a poco vamos por buen camino,un bonito bombo blanco,fuimos fuera de Valencia,hombre no me beses,buenas noches amor mío,bombones y pampas,mmm qué bueno"
    ),
}
ITALIAN: Grammar = {
    "frames": _words(
        """{who} ha comprato {what} {where}.|Perché {who} vuole {what}?|Secondo me {what} è {quality}.|Buonasera e benvenuti! Oggi parliamo di {what}.
        |{when} {who} era {where}, ed è stato {quality}.|No, non {what}, ma {what}.|Per favore, portami {what} e {what}.
        |{lips}.|{Lips}, {lips}!""",
        "|",
    ),
    "who": _words("mia madre,il fornaio,Giovanni,la nostra amica,il professore,Beppe,tutti,un vecchio pittore"),
    "what": _words(
        "un libro nuovo,pane e burro,cinque mele,la gonna blu,il giornale,un bicchiere d'acqua,la bicicletta,uova fresche,un fiume,poca pioggia"
    ),
    "where": _words("al parco,a Roma,a casa mia,sul ponte,in montagna,vicino al fiume,davanti al museo"),
    "when": _words("stamattina,mercoledì,cinque mesi fa,ieri sera,in autunno,ogni settimana"),
    "quality": _words("bellissimo,orribile,impossibile,famoso,buono,un po' strano,meraviglioso,molto semplice"),
    "lips": _words(
        "papà e mamma baciano il bambino,apelle figlio di Apollo fece una palla di pelle di pollo,boh vabbè,mi piace poco,un bel bimbo biondo,buonasera amore mio,vieni via prima di me,il vino bianco è buono,pizza pane e pomodoro"
    ),
}
PORTUGUESE: Grammar = {
    "frames": _words(
        """{who} comprou {what} {where}.|Por que {who} quer {what}?|Eu acho que {what} é {quality}.|Bem-vindos! Hoje falamos sobre {what} e {what}.
        |{when}, {who} estava {where}, e foi {quality}.|Não, não é {what}, é {what}.|Por favor, traga {what} e {what}.
        |{lips}.|{Lips}, {lips}!""",
        "|",
    ),
    "who": _words("minha mãe,o padeiro,João,nosso amigo,a vizinha,Bruna,todo mundo,um velho pintor"),
    "what": _words(
        "um livro novo,pão e manteiga,cinco maçãs,a saia azul,o jornal,um copo de água,a bicicleta,ovos frescos,muita chuva,o violão"
    ),
    "where": _words("no parque,em Lisboa,em casa,na ponte,na montanha,perto do rio,em frente ao museu"),
    "when": _words("hoje de manhã,quarta-feira,há cinco meses,ontem,no outono,toda semana"),
    "quality": _words("maravilhoso,horrível,bonito,impossível,famoso,um pouco estranho,muito bom"),
    "lips": _words(
        "papai e mamãe abraçam o bebê,o peito do pé de Pedro é preto,bom dia meu bem,um pombo bobo,vamos ver a família,fui à feira comprar uva,muito bem meu amor,boa tarde Bambi,sombra e água fresca"
    ),
}
HINDI: Grammar = {
    "frames": _words(
        """{who} ने {when} {what} खरीदा।|{who} को {what} क्यों चाहिए?|मुझे लगता है कि {what} बहुत {quality} है।|नमस्कार, आप सबका स्वागत है। आज हम {what} की बात करेंगे।|नहीं, {what} नहीं, {what}।
        |{when} {who} {where} था।|कृपया {what} और {what} लाइए।
        |{lips}।|{lips}, {lips}।""",
        "|",
    ),
    "who": _words("मेरी माँ,राम,हमारे दोस्त,अध्यापक,मोहन,बूढ़ा माली,सब लोग"),
    "what": _words("पाँच सेब,नई किताब,पानी,गरम चाय,फूल,नीली टोपी,अखबार,ताज़ा दूध,एक बड़ा घर,आम"),
    "where": _words("बाज़ार में,दिल्ली में,घर पर,नदी के पास,पुल के नीचे,पहाड़ पर"),
    "when": _words("आज सुबह,बुधवार को,पिछले साल,कल,हर हफ़्ते"),
    "quality": _words("सुंदर,अच्छा,मुश्किल,बुरा,अजीब,मीठा,महँगा"),
    "lips": _words("मम्मी पापा बाबा,बड़ा भाई मेरी बात मानो,पापा पानी पिओ,भूरा बंदर बाग में,फूफा फल भेजो,मम्मी ममता से बोली,पक्का पीपल"),
}
ARABIC: Grammar = {
    "frames": _words(
        """اشترى {who} {what} {when}.|لماذا يريد {who} {what}؟|أظن أن {what} {quality} جدا.|أهلا وسهلا بكم. اليوم نتكلم عن {what} و {what}.|لا، ليس {what}، بل {what}.|{when} كان {who} {where}.
        |{lips}.|{lips}، {lips}.""",
        "|",
    ),
    "who": _words("أبي,المعلم,صديقي,محمد,الطبيب,كل الناس,جارنا"),
    "what": _words("كتاب جديد,خبز و زبدة,خمس تفاحات,الماء,قبعة زرقاء,الجريدة,بيت كبير,فيلم"),
    "where": _words("في البيت,في السوق,في باريس,قرب النهر,على الجبل"),
    "when": _words("هذا الصباح,يوم الأربعاء,في الربيع,أمس"),
    "quality": _words("جميل,صعب,غريب,ممكن,مشهور,بارد"),
    "lips": _words("بابا وماما,بيت باب مفتوح,مبروك يا محمد,أمي تحب الموز,وفي البيت فيل,مملكة البحر"),
}

GRAMMARS: dict[str, Grammar] = {
    "en": ENGLISH, "zh": CHINESE, "ja": JAPANESE, "ko": KOREAN, "de": GERMAN, "fr": FRENCH, "es": SPANISH, "it": ITALIAN,
    "pt": PORTUGUESE, "hi": HINDI, "ar": ARABIC,
}  # fmt: skip
