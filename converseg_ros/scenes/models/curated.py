"""Manual assignment of models of the furniture catalogue to categories."""

# ruff: noqa: E501 (tables)

from dataclasses import dataclass

LIBRARIES = {'0': 'BlendSwap-CC-0', 'B': 'BlendSwap-CC-BY', 'K': 'KatorLegaz', 'R': 'Reallusion', 'S': 'Scopia'}

# category: models (library code + folder); '=state' gives a state; '^KIND' is the place: t table, f floor, w wall
_MODELS = """
mug^t: K/coffee-mug
coffee cup^t: B/coffee_cup 0/caffe_final S/cup
glass^t: K/12-oz-glass K/highball-glass B/glass B/cocktailGlass 0/beerGlass
cup^t: 0/plasticCup
bowl^t: S/bowl K/bowl
plate^t: K/dinner-plate K/bread-plate
bottle^t: S/com_bath S/com_bath2_jabon_pijo
wine bottle^t: S/wine_bottle K/red-wine-bottle-01
beer bottle^t: B/beer_bottle
yogurt bottle^t: 0/yogurtBottle
baby bottle^t: 0/mamadeira
medicine bottle^t: S/medicoscopia_bottle S/medicoscopia_bottle2
medicine box^t: S/medicoscopia_box
jar^t: S/old_jar S/pottery
book^t: B/book
newspaper^t: K/newspaper
sponge^t: S/com_bath2_esponja
ball^t: B/ballonFoot 0/basketball
bread^t: 0/bread
cake^t: S/birthday_cake
cupcake^t: 0/cupcake
hamburger^t: B/hamburger
hot dog^t: 0/hotDog
steak^t: S/steak
roast chicken^t: S/roasted-chicken
french fries^t: S/frenchFries
butter^t: 0/butter
milk carton^t: 0/tetrapak
sugar bowl^t: S/sugar
salt shaker^t: B/saltShaker
creamer^t: S/creamer
teapot^t: S/teapot
kettle^t: B/boiler
moka pot^t: B/espressokettle
coffee press^t: B/coffeePress
fork^t: B/fork
spoon^t: B/spoon
knife^t: B/knife
kitchen knife^t: B/kitchenKnife
spatula^t: S/kitchen_tool1 S/kitchen_tool3
ladle^t: S/kitchen_tool2 S/kitchen_tool4
scissors^t: 0/cissors_swap
screwdriver^t: S/tournevis
hammer^t: S/marteau
drill^t: S/perceuse-electrique
saw^t: S/scie-egoine
pliers^t: S/pince-coupante
grinder^t: S/meuleuse-electrique
tape measure^t: K/tape-measure
tape roll^t: S/rouleau-de-ruban-adhesif
marker^t: 0/textMarker
ruler^t: 0/ruler
stapler^t: K/stapler
letter tray^t: S/bandeja
pen holder^t: S/penbox
calendar^t: 0/kalender
phone^t: B/mobile 0/iphone
desk phone^t: S/phone B/wirelessOfficePhone3
tablet^t: S/tablet
laptop^t: B/laptop=open K/apple-ibook-2001=open
computer^t: S/apple_pc K/apple-imac-1998
printer^t: S/inkjet_and_scanner_printer
keyboard^t: K/MIDI-keyboard
speaker^t: 0/speaker2 S/mp3_base_for_ipad B/mp3Station
radio^t: B/radio
stereo^t: S/mini_stereo S/stereo_amplifier S/dvd
camera^t: S/basic_camera S/reflex_camera
headphones^t: 0/headphones
game controller^t: S/ps4-joystick
remote control^t: S/tv-remote-control
flashlight^t: K/flashlight
pot^t: B/largePan=closed
cutting board^t: B/choppingBoard
tray^t: S/tray S/sushi_tray
knife block^t: S/kitchenKnifeStandSet
utensil pot^t: B/utensilsPot
paper towel holder^t: S/paperTowelHolder
spice rack^t: S/spiceTower
kitchen scale^t: S/electronicScale B/kitchenScale
squeezer^t: S/squeezer
vase^t: S/vase1 S/vase2 S/jar S/vase3
flowers^t: B/tulip B/tulips B/white_lily 0/orchids S/calla_lily_with_roses
plant^t: B/luckyBamboo 0/littlePlant B/succulentPlant S/bonsai-tree B/spider_plant
cactus^t: 0/cactus
candle^t: S/complements2 S/candle
lamp^t: S/desk_lamp1 S/desk_lamp2 S/little_lamp1 S/little_lamp2 S/table_lamp B/lamp 0/desklamp
lantern^t: B/campingLamp 0/JapaneseLantern
clothes^t: S/folded_clothes
hat^t: S/casquette S/chapeau
helmet^t: S/casque
glove^t: S/gant-textured
glasses^t: S/glasses B/sunglasses
watch^t: S/montre-with-pose
handbag^t: 0/handbag
soap^t: S/com_bath2_soap
perfume bottle^t: 0/flacon
lipstick^t: B/lipStick
cosmetics jar^t: 0/cosmeticsPot
comb^t: 0/comb S/com_bath2_peineta
brush^t: S/com_bath2_cepillo
keys^t: S/keys
ashtray^t: K/ashtray S/cendrier
doll^t: S/doll
teddy bear^t: 0/teddyBear
toy car^t: B/carrito-de-madera
toy train^t: B/toyTrain
toy plane^t: 0/cartoon_biplane
toy^t: 0/woodToy
xylophone^t: B/xylophone
puzzle cube^t: B/rubix2
puzzle^t: 0/housePuzzle
chess board^t: B/chessboard
playing cards^t: 0/cardGame
gift^t: B/gift
picture frame^t: S/frame1 S/frame2
clock^t: B/clock
figurine^t: 0/deer
thermometer^t: B/thermometer
racket^t: B/tableTennisBat
padlock^t: 0/numberLock
fan^t: 0/tableFan
toaster^t: S/toaster
microwave^t: B/microwave=closed
oven^t: S/small-oven=closed
coffee maker^t: K/coffee-maker S/coffee_machine 0/coffeeBrewer
blender^t: B/kitchenblender
mixer^t: 0/kitchenaid
rice cooker^t: S/cooker
deep fryer^t: S/deepFryerWithFrenchFries
sandwich maker^t: S/sandwichMaker=closed
bread box^t: B/breadBox=closed
grill^t: S/stoneGrillDevice
stove^t: S/induction-cooker-2-zones S/induction-cooker-4-zones 0/mano_cooktop
shoes^f: S/sneakers S/woman_shoes S/mocassin 0/slippers 0/bootie
backpack^f: B/backpack
briefcase^f: 0/briefcase
suitcase^f: B/suitcase
umbrella^f: 0/umbrellaFolded
basket^f: S/clothes-basket
trash can^f: K/bullet-trash-can K/recycling-bin 0/dustbin
toilet brush^f: 0/toiletBrush
potty^f: 0/potty
fire extinguisher^f: 0/fireExtinguisher
traffic cone^f: S/cone
ladder^f: S/step-ladder-wood S/step-ladder-metal
crate^f: 0/crate
cardboard box^f: S/cardboard-box=closed S/open-cardboard-box=open
barrel^f: 0/barrel
rocking horse^f: 0/caballito
doll house^f: S/doll-house
chair^f: S/chair S/chair3 S/chair4 S/tubular_chair S/plastic_chair S/white_kitchen_chair K/dining-chair B/cafe_set_mota_chair B/cafe_set_tonon_chair B/chairWithCushion B/ella_chair_f B/plaidChair B/kitchenChair B/chair3 B/chair4 0/oakChair 0/plasticChair 0/sillaBlanca 0/chair 0/antiqueChair 0/chairWithCushion 0/chair2 0/osakaChair 0/thonet
stool^f: S/kitchen_stool B/green_stool 0/stool 0/stool2 0/silla2
armchair^f: S/armchair3 S/armchair S/armchair2 S/modern_armchair K/mid-century-chair B/armchair1 B/fotel 0/armchair2 0/modernArmchair 0/winchesterArmchair
sofa^f: S/simple_sofa S/clear_sofa S/beige_sofa S/burlap_sofa S/leather_sofa S/sofa_white_beige K/futon-couch K/mid-century-sofa B/sofa2 B/sofa3 B/couch3 0/couch 0/sofa2 0/winchesterSofa
bench^f: K/bench 0/pianoBench
office chair^f: S/office_chair K/office-chair S/kids_desk_chair 0/armchair
high chair^f: S/baby_high_chair
bed^f: S/bed1 S/children_bed S/iron_bed B/juniorBed 0/bed1 0/bed2 0/bedWithTexture 0/bed3
crib^f: S/crib
nightstand^f: B/bedsideTable 0/bedsideTable2
dresser^f: B/dresserWithDrawers
wardrobe^f: S/wardrobe1 B/wardrobe B/wardrobe2 0/wardrobeWithSlidingDoors
bookcase^f: K/full-bookcase B/bookcase 0/bookcase
shelf^f: K/utility-shelving 0/verticalShelves 0/shelves S/kids_shelves
filing cabinet^f: K/filing-cabinet 0/lockedLocker
cabinet^f: 0/cupboard B/kitchenDrawersCabinet B/kitchenLowerCabinet 0/lowerCabinet 0/drawersCabinet
fridge^f: K/fridge 0/refrigerator 0/largeFridge
washing machine^f: S/clothes_washing_machine B/washing_machine
dryer^f: S/dryer_machine
toilet^f: B/toilets_unit_jay_hardy B/modernToilet 0/toiletsUnit
bathtub^f: B/bath_jay_hardy S/islandBath
washbasin^f: B/washbasin_jay_hardy 0/washbasin S/bathroom1
radiator^f: B/bathroomRadiator 0/radiator1 0/radiator3 B/modernRadiator
fireplace^f: S/fireplace1
television^f: S/tv 0/led_tv
piano^f: B/piano
guitar^f: 0/electricGuitar
aquarium^f: S/aquarium
water cooler^f: S/water_cooler
safe^f: B/sef-kasa
wheelchair^f: B/wheelchair
ironing rack^f: S/clothes-horse
plant^f: S/maceta S/ficus B/mediumIndoorPlant B/spatifilum B/yuccaPlant B/decorativePlant 0/decorativePlant 0/plant
oven^f: B/largeStove 0/doubleOven
table^f: S/table4 S/white_kitchen_table B/table 0/oakTable S/wooden_table_office S/round-table
desk^f: B/biurko3 B/simpleDesk B/officeTable 0/lbDesk
coffee table^f: S/saloon_table S/coffee_table B/coffeeTable S/coffee-table2 S/living_room_table
cat^f: S/cat B/siameseCat
dog^f: S/dog B/bulldog
rabbit^f: S/rabbit
chicken^f: 0/chicken
woman^f: R/female01 R/female02 R/female03 S/mannequinBrunette K/female-01-casual-clothing R/holdingFemale01=holding R/holdingFemale02=holding R/holdingFemale03=holding R/sitFemale01=sitting R/sitFemale02=sitting R/sitFemale03=sitting
man^f: R/male01 R/male02 R/male03 K/male-01-suit R/holdingMale01=holding R/sitMale01=sitting R/sitMale02=sitting R/sitMale03=sitting
boy^f: R/boyStanding R/boySitting=sitting
girl^f: R/girlStanding R/girlSittingTable=sitting R/girlSittingGround=sitting
socket^w: B/wallSocket B/wallDoubleSocket S/square-plug-TypeE S/plug-TypeE-whites S/rounded-plug-TypeE
"""


@dataclass(frozen=True, slots=True)
class Choice:
    """One catalogue model of a category."""

    key: str
    category: str
    place: str  # t table, f floor, w wall
    state: str


def _parse_models() -> list[Choice]:
    result = []
    for line in _MODELS.strip().splitlines():
        head, models = line.split(':')
        category, place = head.split('^')
        for word in models.split():
            name, _, state = word.partition('=')
            code, _, folder = name.partition('/')
            if folder:
                result.append(Choice(f'{LIBRARIES[code]}/{folder}', category, place, state))
    return result


CHOICES = _parse_models()
